-- Whether a notification about $2 more occurrences of $1 may be sent: from $3 within $4 ms, and not within $5 ms of the
-- last one. $6 is a token of the caller. Of fifty that ask at once, one gets permission: each waits for the row.
--
-- Index: the primary key of messenger_notifications.
INSERT INTO :"schema".messenger_notifications AS n (key, occurrences, sent_at, sent_by, suppressed)
VALUES ($1, $2, CASE WHEN $2 >= $3 THEN now() END, CASE WHEN $2 >= $3 THEN $6 END, CASE WHEN $2 >= $3 THEN 0 ELSE $2 END)
ON CONFLICT (key) DO UPDATE
SET (window_started_at, occurrences, sent_at, sent_by, suppressed, updated_at) = (
  SELECT CASE WHEN expired THEN now() ELSE n.window_started_at END,
         all_occurrences,
         CASE WHEN admitted THEN now() ELSE n.sent_at END,
         CASE WHEN admitted THEN $6 ELSE n.sent_by END,
         CASE WHEN admitted THEN 0 ELSE n.suppressed + $2 END,
         now()
  FROM (
    SELECT *, all_occurrences >= $3
              AND coalesce(n.sent_at < now() - $5 * interval '1 millisecond', true) AS admitted
    FROM (
      SELECT expired, $2 + CASE WHEN expired THEN 0 ELSE n.occurrences END AS all_occurrences
      FROM (SELECT n.window_started_at < now() - $4 * interval '1 millisecond' AS expired) age
    ) counted
  ) decided
)
RETURNING coalesce(sent_by = $6, false) AS admitted, occurrences,
          coalesce((SELECT suppressed FROM :"schema".messenger_notifications WHERE key = $1), 0) AS suppressed
