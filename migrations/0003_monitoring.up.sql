-- Views for psql and for your own dashboards. They count, so they cost as much as there is to count.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0003_monitoring.up.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

-- security_invoker: a view must not lend its owner's rights to its readers.
CREATE VIEW :"schema".messenger_queue_depth WITH (security_invoker = true) AS
SELECT transport_name,
       queue_name,
       count(*) FILTER (WHERE status = 'pending' AND available_at <= now()) AS pending,
       count(*) FILTER (WHERE status = 'pending' AND available_at > now()) AS delayed,
       count(*) FILTER (WHERE status = 'processing') AS processing,
       min(available_at) FILTER (WHERE status = 'pending' AND available_at <= now()) AS oldest_available_at
FROM :"schema".messenger_messages
WHERE status IN ('pending', 'processing')
GROUP BY transport_name, queue_name;
COMMENT ON VIEW :"schema".messenger_queue_depth IS 'What waits and what runs, per transport and queue.';

CREATE VIEW :"schema".messenger_failed_summary WITH (security_invoker = true) AS
SELECT transport_name,
       message_type,
       error_class,
       count(*) AS messages,
       min(failed_at) AS first_failed_at,
       max(failed_at) AS last_failed_at
FROM :"schema".messenger_failed_messages
GROUP BY transport_name, message_type, error_class;
COMMENT ON VIEW :"schema".messenger_failed_summary IS 'Dead letters by type and error class.';

CREATE VIEW :"schema".messenger_schedules_summary WITH (security_invoker = true) AS
SELECT name,
       message_type,
       schedule_type,
       timezone,
       enabled,
       next_run_at,
       last_run_at,
       run_count,
       max_runs,
       enabled AND next_run_at <= now() AS due
FROM :"schema".messenger_schedules;
COMMENT ON VIEW :"schema".messenger_schedules_summary IS 'Schedules with their last and next run.';

-- Closed from the first moment, because by hand each file is a transaction of its own: see 0004_security.
SELECT set_config('symphony.schema', :'schema', true);
DO $$
DECLARE
  home text := current_setting('symphony.schema');
  relation record;
  role text;
BEGIN
  FOR relation IN
    SELECT c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = home AND c.relname LIKE 'messenger\_%' AND c.relkind IN ('r', 'p', 'v')
  LOOP
    IF relation.relkind IN ('r', 'p') THEN
      EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', home, relation.relname);
    END IF;
    EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC', home, relation.relname);
    FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
      EXECUTE format('REVOKE ALL ON %I.%I FROM %I', home, relation.relname, role);
    END LOOP;
  END LOOP;
END
$$;

INSERT INTO :"schema".messenger_migrations (version, name) VALUES (3, 'monitoring');
