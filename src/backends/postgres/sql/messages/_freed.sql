-- Part of what cancels messages, inserted for `:freed`: the keys that those hold that have `acted` are free again. The
-- shadow of a key stays, because it may stand for other types: see keys/_admit.sql.
DELETE FROM :"schema".messenger_deduplication held
USING acted
WHERE held.idempotency_key = acted.idempotency_key
  AND held.transport_name IN (acted.transport_name, acted.transport_name || E'\n' || acted.message_type)
  AND held.message_id = acted.id AND held.first_seen_at > '-infinity'
