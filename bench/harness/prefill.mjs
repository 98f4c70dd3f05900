/** Fills tables by SQL, where the system's own calls would take minutes. Not measured. */

/**
 * @param {import('./context.mjs').Context} context
 * @param {string} schema
 * @param {object} rows
 * @param {number} rows.n
 * @param {number} [rows.from] The first number, which is also the id.
 * @param {'pending' | 'finished'} [rows.state]
 * @param {string} [rows.type]
 * @param {number} [rows.priority]
 * @param {string} [rows.due] SQL of an interval from now.
 * @param {number} [rows.bytes] Of padding in each payload.
 */
export async function fillSymphony(
  context,
  schema,
  { n, from = 0, state = 'pending', type = 'Bench', priority = 5, due = '-1 hour', bytes = 0 },
) {
  const finished = state === 'finished'
  await context.control.query(
    `INSERT INTO ${schema}.messenger_messages_${state}
       (id, message_type, transport_name, queue_name, priority, status, available_at, processed_at, body)
     SELECT lpad(to_hex(i), 32, '0')::uuid, $2, 'supabase', 'default', $3, $4,
            now() + $5::interval + i * interval '1 microsecond', CASE WHEN $4 = 'completed' THEN now() END,
            jsonb_build_object('n', i, 'to', 'user' || i || '@example.com', 'pad', repeat('x', $6))
     FROM generate_series($7::int, $7::int + $1::int - 1) AS i`,
    [n, type, priority, finished ? 'completed' : 'pending', due, bytes, from],
  )
}

/** @param {import('./context.mjs').Context} context @param {string} schema @param {number} n */
export async function fillGraphile(context, schema, n) {
  await context.control.query(
    `INSERT INTO ${schema}._private_tasks (identifier) VALUES ('bench') ON CONFLICT DO NOTHING`,
  )
  await context.control.query(
    `INSERT INTO ${schema}._private_jobs (task_id, payload, run_at)
     SELECT t.id, json_build_object('n', i, 'to', 'user' || i || '@example.com'), now() - interval '1 hour'
     FROM ${schema}._private_tasks t, generate_series(0, $1::int - 1) AS i WHERE t.identifier = 'bench'`,
    [n],
  )
}

/** @param {import('./context.mjs').Context} context @param {string} schema @param {number} n */
export async function fillPgBoss(context, schema, n) {
  await context.control.query(
    `INSERT INTO ${schema}.job (name, data, start_after, created_on, policy)
     SELECT 'bench', jsonb_build_object('n', i, 'to', 'user' || i || '@example.com'), now() - interval '1 hour',
            now() - interval '1 hour', 'standard'
     FROM generate_series(0, $1::int - 1) AS i`,
    [n],
  )
}

/** Fills the queue of any system that has a way here; `undefined` for one that has none. */
export function fillerOf({ file }) {
  const symphony = (context, schema, n) => fillSymphony(context, schema, { n })
  return { raw: symphony, symphony, 'graphile-worker': fillGraphile, 'pg-boss': fillPgBoss }[file]
}
