-- In which role an operator did something, beside who it was.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0014_roles.up.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

ALTER TABLE :"schema".messenger_audit ADD COLUMN role text;
COMMENT ON COLUMN :"schema".messenger_audit.role IS 'In which role, as the caller says; NULL: nobody said, or a build from before 0014.';

INSERT INTO :"schema".messenger_migrations (version, name) VALUES (14, 'roles');
