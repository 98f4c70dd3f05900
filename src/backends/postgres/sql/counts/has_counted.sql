-- Whether these rows of metrics, $1, a JSON array of them, are stored exactly as given: then the settlement that
-- carried them was done (settlements/_count.sql). Asked only if a fence does not hold after an answer was lost.
--
-- Index: the primary key of messenger_metrics, once per row. A count instead of EXISTS, which may be planned as a hash
-- of the whole table.
SELECT bool_and((
  SELECT count(*)
  FROM :"schema".messenger_metrics m
  WHERE m.minute = r.minute AND m.source = r.source AND m.transport_name = r.transport_name
    AND m.message_type = r.message_type
    AND (m.succeeded, m.retried, m.dead_lettered, m.discarded, m.snoozed, m.released)
      = (r.succeeded, r.retried, r.dead_lettered, r.discarded, r.snoozed, r.released)) = 1)
FROM json_populate_recordset(NULL:::"schema".messenger_metrics, $1::json) r
