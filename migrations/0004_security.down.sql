-- Reverts 0004_security as far as is safe: row level security is switched off, no right is granted.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0004_security.down.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

SELECT set_config('symphony.schema', :'schema', true);

DO $$
DECLARE
  home text := current_setting('symphony.schema');
  relation text;
BEGIN
  FOR relation IN
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = home AND c.relname LIKE 'messenger\_%' AND c.relkind IN ('r', 'p')
  LOOP
    EXECUTE format('ALTER TABLE %I.%I DISABLE ROW LEVEL SECURITY', home, relation);
  END LOOP;
END
$$;

DELETE FROM :"schema".messenger_migrations WHERE version = 4;
