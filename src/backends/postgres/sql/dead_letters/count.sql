-- How many of the newest $10 dead letters of a type, a time and some ids (_seen.sql) match, and whether there are more
-- than these. `:fitting` is _fitting.sql.
SELECT count(*) FILTER (
         WHERE
           :fitting
       ),
       count(*) >= $10
FROM (
  SELECT *
  :seen
  ORDER BY failed_at DESC, id DESC LIMIT $10
) newest
