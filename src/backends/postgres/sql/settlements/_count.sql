-- Part of every settlement, inserted for `:count`: writes how many messages ended how, $3, a JSON array of rows. In the
-- statement that settles, so that it costs no round trip and no commit of its own, and counts exactly what is settled.
--
-- Index: the primary key. A row belongs to one consumer alone (source, one for each of its queues), so that no two of
-- them wait for each other, and it is replaced as a whole, by what it was and what is settled here. Rows are merged when
-- they are 35 minutes old (merge.sql); one that comes later than half an hour comes too late.
INSERT INTO :"schema".messenger_metrics
  (minute, source, transport_name, message_type, succeeded, retried, dead_lettered, discarded, snoozed, released,
   duration_ms, waited_ms, buckets, counts, errors, queue_name, wait_buckets, wait_counts)
SELECT minute, source, transport_name, message_type, succeeded, retried, dead_lettered, discarded, snoozed, released,
       duration_ms, waited_ms, buckets, counts, errors, queue_name, wait_buckets, wait_counts
FROM json_populate_recordset(NULL:::"schema".messenger_metrics, $3::json)
WHERE minute > now() - interval '30 minutes'
ON CONFLICT (minute, source, transport_name, message_type) DO UPDATE
SET succeeded = excluded.succeeded, retried = excluded.retried, dead_lettered = excluded.dead_lettered,
    discarded = excluded.discarded, snoozed = excluded.snoozed, released = excluded.released,
    duration_ms = excluded.duration_ms, waited_ms = excluded.waited_ms, buckets = excluded.buckets,
    counts = excluded.counts, errors = excluded.errors, wait_buckets = excluded.wait_buckets,
    wait_counts = excluded.wait_counts
