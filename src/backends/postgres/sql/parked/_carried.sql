-- Part of every statement that takes messages which a broker carries, inserted for `:carried`: those of the transport
-- $1, one per id in $2, with what belongs to it in $4 to $18, and `place`, where it stands in the parameters.
SELECT $1::text AS transport_name, id, message_type, queue_name, priority, created_at, available_at, scheduled_at,
       delay_ms, retry_count, max_retries, idempotency_key, body, headers, metadata, error_history::jsonb,
       ARRAY(SELECT jsonb_array_elements_text(each.handled::jsonb)) AS handled, place
FROM unnest($2::uuid[], $4::text[], $5::text[], $6::smallint[], $7::timestamptz[], $8::timestamptz[],
            $9::timestamptz[], $10::double precision[], $11::integer[], $12::integer[], $13::text[], $14::text[],
            $15::text[], $16::text[], $17::text[], $18::text[])
  WITH ORDINALITY
  AS each (id, message_type, queue_name, priority, created_at, available_at, scheduled_at, delay_ms, retry_count,
           max_retries, idempotency_key, body, headers, metadata, error_history, handled, place)
