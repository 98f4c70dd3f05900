-- Deletes schedules that have no run left and are past their retention, by messenger_schedules_finished. Those of code
-- stay as long as the code names them: without its row, a one-time schedule would run again at the next start.
DELETE FROM :"schema".messenger_schedules
WHERE id = ANY (ARRAY (
  SELECT id FROM :"schema".messenger_schedules
  WHERE finished_at < now() - $1 * interval '1 millisecond' AND code_group IS NULL
  ORDER BY finished_at LIMIT $2))
RETURNING 1
