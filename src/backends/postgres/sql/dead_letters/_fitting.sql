-- Part of count.sql, list.sql and places.sql, inserted for `:fitting`: which of the dead letters that were examined,
-- `_seen.sql`. Every parameter may be NULL.
-- $9 are the jsonpaths of a query, see search.rs, one for each document in their order.
($2::text IS NULL OR transport_name = $2)
AND ($3::text IS NULL OR queue_name = $3)
AND ($4::text IS NULL OR error_class = $4)
AND ($5::text IS NULL OR position(lower($5) IN lower(error)) > 0 OR position(lower($5) IN lower(body::text)) > 0)
AND ($9[1] IS NULL OR jsonb_build_array(id, message_id) @@ $9[1]::jsonpath)
AND ($9[2] IS NULL OR to_jsonb(message_type) @@ $9[2]::jsonpath)
AND ($9[3] IS NULL OR to_jsonb(transport_name) @@ $9[3]::jsonpath)
AND ($9[4] IS NULL OR to_jsonb(queue_name) @@ $9[4]::jsonpath)
AND ($9[5] IS NULL OR '"failed"'::jsonb @@ $9[5]::jsonpath)
AND ($9[6] IS NULL OR to_jsonb(priority) @@ $9[6]::jsonpath)
AND ($9[7] IS NULL OR to_jsonb(retry_count) @@ $9[7]::jsonpath)
AND ($9[8] IS NULL OR to_jsonb(crash_count) @@ $9[8]::jsonpath)
AND ($9[9] IS NULL OR coalesce(to_jsonb(idempotency_key), 'null') @@ $9[9]::jsonpath)
AND ($9[10] IS NULL OR coalesce(to_jsonb(error_class), 'null') @@ $9[10]::jsonpath)
AND ($9[11] IS NULL OR to_jsonb(error) @@ $9[11]::jsonpath)
AND ($9[12] IS NULL
     OR jsonb_build_object('at', extract(epoch FROM created_at), 'now', extract(epoch FROM now())) @@ $9[12]::jsonpath)
AND ($9[13] IS NULL
     OR jsonb_build_object('at', extract(epoch FROM failed_at), 'now', extract(epoch FROM now())) @@ $9[13]::jsonpath)
AND ($9[14] IS NULL OR 'null'::jsonb @@ $9[14]::jsonpath)
AND ($9[15] IS NULL OR jsonb_build_array(body::text, error) @@ $9[15]::jsonpath)
AND ($9[16] IS NULL OR body @@ $9[16]::jsonpath)
AND ($9[17] IS NULL OR headers @@ $9[17]::jsonpath)
AND ($9[18] IS NULL OR metadata @@ $9[18]::jsonpath)
