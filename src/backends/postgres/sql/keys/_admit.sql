-- Part of every statement that stores messages with keys of callers, inserted for `:admit`: takes the keys of `incoming`,
-- each for the type of its message, and says in `admitted` who holds them. Each refusal is counted, with the repeats
-- inside the batch.
--
-- A key is held under its transport and type, in one text that no transport is named like (names have no line feeds).
-- Under the transport alone it is held by builds that know no types. Those are respected, whatever the type, and for
-- them a shadow is left there that lasts as long as any type holds the key, so that none admits it once more. A shadow
-- was first seen at -infinity; what an older build takes over is not.
--
-- Index: the primary key, in its order, so that two batches with the same keys wait for each other and never deadlock.
keyed AS (
  SELECT *, transport_name || E'\n' || message_type AS held_under,
         coalesce(now() + window_ms * interval '1 millisecond', 'infinity') AS held_until
  FROM incoming
  WHERE idempotency_key IS NOT NULL
),
untyped AS (
  INSERT INTO :"schema".messenger_deduplication AS held
    (idempotency_key, transport_name, message_id, first_seen_at, expires_at)
  SELECT DISTINCT ON (idempotency_key, transport_name)
         idempotency_key, transport_name, id, '-infinity'::timestamptz, held_until
  FROM keyed
  ORDER BY idempotency_key, transport_name, id
  ON CONFLICT (idempotency_key, transport_name) DO UPDATE SET
    message_id = CASE WHEN held.expires_at <= now() THEN excluded.message_id ELSE held.message_id END,
    first_seen_at = CASE WHEN held.expires_at <= now() THEN '-infinity' ELSE held.first_seen_at END,
    duplicate_attempts = CASE WHEN held.expires_at <= now() THEN 0
                              WHEN held.first_seen_at = '-infinity' THEN held.duplicate_attempts
                              ELSE held.duplicate_attempts + 1 END,
    expires_at = CASE WHEN held.expires_at > now() AND held.first_seen_at > '-infinity' THEN held.expires_at
                      ELSE greatest(held.expires_at, excluded.expires_at) END
  RETURNING idempotency_key, transport_name, message_id, first_seen_at = '-infinity' AS is_shadow
),
typed AS (
  INSERT INTO :"schema".messenger_deduplication AS held
    (idempotency_key, transport_name, message_id, expires_at, duplicate_attempts)
  SELECT idempotency_key, held_under, id, held_until, repeats
  FROM keyed
  WHERE (idempotency_key, transport_name) NOT IN (
    SELECT idempotency_key, transport_name FROM untyped WHERE NOT is_shadow)
  ORDER BY idempotency_key, held_under
  ON CONFLICT (idempotency_key, transport_name) DO UPDATE SET
    message_id = CASE WHEN held.expires_at <= now() THEN excluded.message_id ELSE held.message_id END,
    first_seen_at = CASE WHEN held.expires_at <= now() THEN now() ELSE held.first_seen_at END,
    duplicate_attempts = CASE WHEN held.expires_at <= now() THEN excluded.duplicate_attempts
                              ELSE held.duplicate_attempts + 1 + excluded.duplicate_attempts END,
    expires_at = CASE WHEN held.expires_at <= now() THEN excluded.expires_at ELSE held.expires_at END
  RETURNING idempotency_key, transport_name AS held_under, message_id
),
admitted AS (
  SELECT keyed.id, typed.message_id FROM keyed JOIN typed USING (idempotency_key, held_under)
  UNION ALL
  SELECT keyed.id, untyped.message_id FROM keyed JOIN untyped USING (idempotency_key, transport_name)
  WHERE NOT is_shadow
),
