-- Which chores have something to do, in the order of store/upkeep.rs. Asked first, because nearly never is there
-- anything, and reading and planning all their statements takes the server longer than everything else at the end of an
-- invocation.
--
-- $1 to $5: for how many ms finished messages, dead letters, finished schedules, metrics and the audit are kept.
-- Index: one probe each, as in the statement of the chore.
SELECT ARRAY[
  EXISTS (SELECT FROM :"schema".messenger_metrics WHERE NOT hourly AND minute < now() - interval '35 minutes'),
  EXISTS (SELECT FROM :"schema".messenger_notifications WHERE updated_at < now() - interval '7 days'),
  EXISTS (SELECT FROM :"schema".messenger_messages_finished WHERE processed_at < now() - $1 * interval '1 millisecond'),
  EXISTS (SELECT FROM :"schema".messenger_failed_messages WHERE failed_at < now() - $2 * interval '1 millisecond'),
  EXISTS (SELECT FROM :"schema".messenger_deduplication WHERE expires_at < now()),
  EXISTS (SELECT FROM :"schema".messenger_schedules
          WHERE finished_at < now() - $3 * interval '1 millisecond' AND code_group IS NULL),
  EXISTS (SELECT FROM :"schema".messenger_metrics WHERE merged AND minute < now() - $4 * interval '1 millisecond'),
  EXISTS (SELECT FROM :"schema".messenger_executions WHERE started_at < now() - interval '1 day'),
  EXISTS (SELECT FROM :"schema".messenger_metrics_hourly
          WHERE hour < now() - $4 * interval '1 millisecond' AND hour < now() - interval '90 days'),
  EXISTS (SELECT FROM :"schema".messenger_depths WHERE minute < now() - $4 * interval '1 millisecond'),
  EXISTS (SELECT FROM :"schema".messenger_error_groups
          WHERE last_at < now() - $4 * interval '1 millisecond' AND last_at < now() - interval '90 days'
            AND state = 'open' AND note IS NULL),
  EXISTS (SELECT FROM :"schema".messenger_audit WHERE at < now() - $5 * interval '1 millisecond'),
  EXISTS (SELECT FROM :"schema".messenger_controls WHERE until <= now()),
  EXISTS (SELECT FROM :"schema".messenger_workers w
          WHERE release IS NOT NULL
            AND NOT EXISTS (SELECT FROM :"schema".messenger_releases known WHERE known.release = w.release))
] AS due
