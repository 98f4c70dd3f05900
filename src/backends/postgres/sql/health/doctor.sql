-- The facts that a diagnosis needs, as one JSON value, where finished messages are kept for $1, dead letters for $2 and
-- metrics for $3 ms (null: for good). Reads catalogs and statistics, the table of workers, schedules by
-- messenger_schedules_due, the first entry of each transport in messenger_parked_due, and the first entry of each index
-- that clean-up deletes by.
SELECT jsonb_build_object(
  'version', current_setting('server_version_num')::integer,
  'now', extract(epoch FROM clock_timestamp()) * 1000,
  'exposed', coalesce((
    SELECT jsonb_agg(role.rolname || ' may ' || lower(held.privilege) || ' ' || c.relname ORDER BY role.rolname, c.relname)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN pg_roles role
    CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS held (privilege)
    WHERE n.nspname = :'schema' AND c.relname LIKE 'messenger\_%' AND c.relkind IN ('r', 'p', 'v')
      AND role.rolname IN ('anon', 'authenticated')
      AND has_schema_privilege(role.oid, n.oid, 'USAGE')
      AND has_table_privilege(role.oid, c.oid, held.privilege)
  ), '[]'),
  'unguarded', coalesce((
    SELECT jsonb_agg(c.relname ORDER BY c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :'schema' AND c.relname LIKE 'messenger\_%' AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
  ), '[]'),
  'oldestTransaction', (
    SELECT jsonb_build_object('seconds', extract(epoch FROM clock_timestamp() - xact_start), 'pid', pid,
                              'application', application_name, 'state', state)
    FROM pg_stat_activity
    WHERE backend_xmin IS NOT NULL AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
      AND backend_type = 'client backend'
    ORDER BY xact_start
    LIMIT 1
  ),
  'preparedTransactions', (SELECT count(*) FROM pg_prepared_xacts WHERE prepared < now() - interval '1 minute'),
  'holdingSlots', coalesce((
    SELECT jsonb_agg(slot_name) FROM pg_replication_slots WHERE NOT active AND (xmin IS NOT NULL OR catalog_xmin IS NOT NULL)
  ), '[]'),
  'tables', coalesce((
    SELECT jsonb_agg(jsonb_build_object('name', relname, 'live', n_live_tup, 'dead', n_dead_tup) ORDER BY relname)
    FROM pg_stat_user_tables
    WHERE schemaname = :'schema' AND relname IN ('messenger_messages_pending', 'messenger_messages_processing', 'messenger_workers',
                                                    'messenger_parked')
  ), '[]'),
  'staleWorkers', coalesce((
    SELECT jsonb_agg(jsonb_build_object('id', id, 'host', host, 'pid', pid,
                                        'seconds', extract(epoch FROM now() - lease_until)) ORDER BY lease_until)
    FROM (SELECT * FROM :"schema".messenger_workers WHERE lease_until < now() - interval '1 minute'
          ORDER BY lease_until LIMIT 20) stale
  ), '[]'),
  'overdueSchedules', coalesce((
    SELECT jsonb_agg(jsonb_build_object('name', name, 'seconds', extract(epoch FROM now() - next_run_at))
                     ORDER BY next_run_at)
    FROM (SELECT name, next_run_at FROM :"schema".messenger_schedules
          WHERE enabled AND next_run_at < now() - interval '5 minutes' ORDER BY next_run_at LIMIT 20) overdue
  ), '[]'),
  'overdueParked', coalesce((
    WITH RECURSIVE first AS (
      (SELECT transport_name, due_at FROM :"schema".messenger_parked ORDER BY transport_name, due_at LIMIT 1)
      UNION ALL
      SELECT next.*
      FROM first CROSS JOIN LATERAL (
        SELECT p.transport_name, p.due_at FROM :"schema".messenger_parked p
        WHERE p.transport_name > first.transport_name ORDER BY p.transport_name, p.due_at LIMIT 1) next
    )
    SELECT jsonb_agg(jsonb_build_object(
      'name', transport_name, 'seconds', extract(epoch FROM now() - greatest(due_at, 'epoch'))) ORDER BY due_at)
    FROM first WHERE due_at < now() - interval '5 minutes'
  ), '[]'),
  'pastRetention', coalesce((
    SELECT jsonb_agg(jsonb_build_object(
      'what', what, 'seconds', extract(epoch FROM now() - greatest(oldest, 'epoch')) - kept_ms / 1000))
    FROM (VALUES
      ('finished messages', (SELECT min(processed_at) FROM :"schema".messenger_messages_finished), $1),
      ('dead letters', (SELECT min(failed_at) FROM :"schema".messenger_failed_messages), $2),
      ('metrics', (SELECT min(minute) FROM :"schema".messenger_metrics), $3),
      ('idempotency keys', (SELECT min(expires_at) FROM :"schema".messenger_deduplication), 0),
      ('executions', (SELECT min(started_at) FROM :"schema".messenger_executions), 24 * 3600 * 1000)
    ) AS stored (what, oldest, kept_ms)
    WHERE oldest < now() - kept_ms * interval '1 millisecond' - interval '1 hour'
  ), '[]')
)::text AS facts
