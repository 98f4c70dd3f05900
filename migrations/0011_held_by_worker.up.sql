-- Keeps together what each worker holds, in the only index of messages at work.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0011_held_by_worker.up.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

-- A worker settles what it holds itself, and a rescue asks what a worker holds: both begin with the worker, so one index
-- serves both, and a message that is claimed has one entry instead of two. Builds from before settle by id alone, which
-- reads the index as a whole: slower beside this build, and as right as before.
UPDATE :"schema".messenger_messages_processing
SET worker_id = '00000000-0000-0000-0000-000000000000' WHERE worker_id IS NULL;
ALTER TABLE :"schema".messenger_messages_processing
  DROP CONSTRAINT messenger_messages_processing_pkey,
  ADD CONSTRAINT messenger_messages_processing_pkey PRIMARY KEY (worker_id, id);
DROP INDEX :"schema".messenger_messages_holder;

INSERT INTO :"schema".messenger_migrations (version, name) VALUES (11, 'held_by_worker');
