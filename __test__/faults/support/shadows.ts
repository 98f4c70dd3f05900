import type { TestDatabase } from '../../support/database.js'

const TYPES = ['text', 'uuid', 'jsonb', 'timestamptz', 'int2', 'int4', 'int8', 'float8', 'bool', 'interval', 'name']

/**
 * Puts a schema `evil` into the database: operators, functions and types that are called like those of `pg_catalog`, take
 * the same and fail when they are used; and lets every session of the database look there first.
 */
export async function shadowEverything(database: Pick<TestDatabase, 'query'>): Promise<void> {
  await database.query('CREATE SCHEMA evil')
  await database.query(`DO $$
    DECLARE it record; n int := 0;
    BEGIN
      FOR it IN
        SELECT proname, proretset, format_type(prorettype, NULL) AS returned,
               (SELECT coalesce(string_agg(format_type(t, NULL), ', ' ORDER BY place), '')
                FROM unnest(proargtypes) WITH ORDINALITY a (t, place)) AS taken
        FROM pg_proc p
        WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND provariadic = 0 AND proallargtypes IS NULL
          AND prorettype IN (SELECT oid FROM pg_type WHERE typtype = 'b')
          AND NOT EXISTS (SELECT FROM unnest(proargtypes) t JOIN pg_type y ON y.oid = t WHERE y.typtype <> 'b')
          -- Casts and comparisons of their own are not called by name.
          AND proname !~ '(send|recv|in|out)$'
      LOOP
        EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS %L',
          it.proname, it.taken, CASE WHEN it.proretset THEN 'SETOF' ELSE '' END, it.returned,
          format('BEGIN RAISE EXCEPTION USING MESSAGE = %L; END', 'hostile function ' || it.proname));
      END LOOP;
      FOR it IN
        SELECT oprname, oprleft::regtype::text AS l, oprright::regtype::text AS r, oprresult::regtype::text AS returned
        FROM pg_operator
        WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprkind = 'b'
          AND oprleft IN (SELECT oid FROM pg_type WHERE typname = ANY ('{${TYPES.join()}}') AND typnamespace = 'pg_catalog'::regnamespace)
          AND oprright IN (SELECT oid FROM pg_type WHERE typname = ANY ('{${TYPES.join()}}') AND typnamespace = 'pg_catalog'::regnamespace)
      LOOP
        n := n + 1;
        EXECUTE format('CREATE FUNCTION evil.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L',
          n, it.l, it.r, it.returned,
          format('BEGIN RAISE EXCEPTION USING MESSAGE = %L; END', 'hostile operator ' || it.oprname));
        EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.operator_%s)',
          it.oprname, it.l, it.r, n);
      END LOOP;
    END $$`)
  for (const type of TYPES) {
    await database.query(`CREATE DOMAIN evil.${type} AS pg_catalog.${type} CONSTRAINT hostile CHECK (false)`)
  }
  await database.query(`DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = evil, pg_catalog', current_database());
  END $$`)
}
