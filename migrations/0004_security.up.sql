-- Closed to everyone but the owner. On Supabase the roles `anon` and `authenticated` stand for anyone who holds the
-- public key; the internet can read a table that they can reach, and forge jobs in it.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0004_security.up.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

-- A DO block cannot see psql's variables; a setting that ends with this transaction carries the name.
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
    -- Each partition separately: the parent's row security does not guard a partition named directly.
    IF relation.relkind IN ('r', 'p') THEN
      EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', home, relation.relname);
    END IF;
    EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC', home, relation.relname);
    FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
      EXECUTE format('REVOKE ALL ON %I.%I FROM %I', home, relation.relname, role);
    END LOOP;
  END LOOP;
  -- The schema itself only if it is ours: revoking on `public` would lock out everything else that lives there.
  IF home <> 'public' THEN
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', home);
    FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
      EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', home, role);
    END LOOP;
  END IF;
END
$$;

INSERT INTO :"schema".messenger_migrations (version, name) VALUES (4, 'security');
