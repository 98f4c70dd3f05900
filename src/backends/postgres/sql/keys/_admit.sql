-- Part of every statement that stores messages with keys, inserted for `:admit`: takes the keys of `incoming`, and
-- returns who holds them. Keys are taken in sorted order, so that two batches with the same keys wait for each other
-- and never deadlock. Each refusal is counted, with the repeats inside the batch.
INSERT INTO :"schema".messenger_deduplication AS held
  (idempotency_key, transport_name, message_id, expires_at, duplicate_attempts)
SELECT idempotency_key, transport_name, id, now() + window_ms * interval '1 millisecond', repeats
FROM incoming
WHERE idempotency_key IS NOT NULL
ORDER BY idempotency_key, transport_name
ON CONFLICT (idempotency_key, transport_name) DO UPDATE SET
  message_id = CASE WHEN held.expires_at <= now() THEN excluded.message_id ELSE held.message_id END,
  first_seen_at = CASE WHEN held.expires_at <= now() THEN now() ELSE held.first_seen_at END,
  duplicate_attempts = CASE WHEN held.expires_at <= now() THEN excluded.duplicate_attempts
                            ELSE held.duplicate_attempts + 1 + excluded.duplicate_attempts END,
  expires_at = CASE WHEN held.expires_at <= now() THEN excluded.expires_at ELSE held.expires_at END
RETURNING idempotency_key, transport_name, message_id
