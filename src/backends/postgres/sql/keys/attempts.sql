-- Dispatches refused for a key within its window. A dispatch that fans out counts once, not once per transport.
SELECT coalesce(max(duplicate_attempts), 0) AS attempts
FROM :"schema".messenger_deduplication
WHERE idempotency_key = $1 AND expires_at > now()
