-- Part of list.sql and places.sql, inserted for `:letters`: a page of dead letters after the cursor ($10 failed_at,
-- $11 id), newest first, and $12 of them at most. No more than $13 are examined, `_seen.sql`: `reach` is the last of
-- them, nothing if fewer are left. `:fitting` is _fitting.sql.
reach AS MATERIALIZED (
  SELECT failed_at, id
  :seen
    AND ($10::timestamptz IS NULL OR (failed_at, id) < ($10, $11::uuid))
  ORDER BY failed_at DESC, id DESC
  OFFSET $13 - 1 LIMIT 1
),
page AS (
  SELECT *
  :seen
    AND ($10::timestamptz IS NULL OR (failed_at, id) < ($10, $11::uuid))
    AND failed_at >= coalesce((SELECT failed_at FROM reach), '-infinity')
    AND (failed_at > coalesce((SELECT failed_at FROM reach), '-infinity')
         OR id >= coalesce((SELECT id FROM reach), '00000000-0000-0000-0000-000000000000'))
    AND
      :fitting
  ORDER BY failed_at DESC, id DESC
  LIMIT $12
)
