-- How many of the newest $10 dead letters match, and whether there are more than these. `:fitting` is _fitting.sql.
-- Index: messenger_failed_messages_newest.
SELECT count(*) FILTER (
         WHERE
           :fitting
       ),
       count(*) >= $10
FROM (SELECT * FROM :"schema".messenger_failed_messages ORDER BY failed_at DESC, id DESC LIMIT $10) newest
