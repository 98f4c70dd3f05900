-- Part of a claim, inserted for `:lanes`: its lanes, without those of what is paused. A paused lane is not read, however
-- much waits in it; `paused` has the paused types of the others, see _due.sql, each as `queue<newline>type`, either of
-- which may be empty. It is NULL if nothing is paused, and looked up once per statement: OFFSET keeps that from being
-- repeated wherever it is used. A claim of 500 takes 0.97 to 1.02 of the 6 ms that it took without, one of 10 takes 15 us
-- more than 375.
FROM (
  SELECT *
  FROM (
    SELECT *, (SELECT array_agg(c.queue_name || E'\n' || c.message_type)
               FROM :"schema".messenger_controls c
               WHERE c.transport_name IN ('', $10) AND coalesce(c.until > now(), true)) AS paused
    FROM unnest($6::text[], $7::smallint[], $11::timestamptz[], $12::uuid[])
      AS asked (queue_name, priority, floor_at, floor_id)
    OFFSET 0
  ) asked
  WHERE asked.paused IS NULL OR NOT asked.paused && ARRAY[E'\n', asked.queue_name || E'\n']
) lane
