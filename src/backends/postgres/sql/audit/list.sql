-- One page of the audit, newest first, by $1 (actor), of $2 (action), since $3 and until $4, each of which may be NULL,
-- after the cursor ($5 at, $6 id). No more than $8 entries are examined, whatever the filter; the last columns say which
-- was the last of them, NULL if fewer are left. If a page ends early, the next one begins there.
-- Index: messenger_audit_at.
WITH seen AS MATERIALIZED (
  SELECT * FROM :"schema".messenger_audit
  WHERE ($3::timestamptz IS NULL OR at >= $3)
    AND ($4::timestamptz IS NULL OR at <= $4)
    AND ($5::timestamptz IS NULL OR (at, id) < ($5, $6::uuid))
  ORDER BY at DESC, id DESC LIMIT $8
),
reach AS (
  SELECT at, id FROM seen ORDER BY at DESC, id DESC OFFSET $8 - 1 LIMIT 1
),
page AS (
  SELECT * FROM seen
  WHERE ($1::text IS NULL OR actor = $1) AND ($2::text IS NULL OR action = $2)
  ORDER BY at DESC, id DESC LIMIT $7
)
SELECT
  :entry
  , (SELECT at FROM reach), (SELECT id FROM reach)
FROM (SELECT) always LEFT JOIN page ON true
ORDER BY page.at DESC, page.id DESC
