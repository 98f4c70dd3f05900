-- Reverts 0010_parked. Refused while messages are parked: nothing below this version would ever send them.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0010_parked.down.sql
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
  parked bigint;
BEGIN
  -- Until the end of this transaction nobody parks another.
  EXECUTE format('LOCK TABLE %I.messenger_parked IN ACCESS EXCLUSIVE MODE', home);
  EXECUTE format('SELECT count(*) FROM %I.messenger_parked', home) INTO parked;
  IF parked > 0 THEN
    RAISE EXCEPTION '% messages are parked in messenger_parked, and would be lost', parked
      USING HINT = 'Consume their transports until they are relayed, or delete them.';
  END IF;
END
$$;

DROP TABLE :"schema".messenger_parked;
DROP INDEX :"schema".messenger_failed_messages_carried;
ALTER TABLE :"schema".messenger_failed_messages DROP COLUMN carried;

DELETE FROM :"schema".messenger_migrations WHERE version = 10;
