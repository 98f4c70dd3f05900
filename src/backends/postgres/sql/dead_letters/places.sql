-- The places of the dead letters of one page, newest first, without their contents: a page of a thousand letters of
-- 1 MB would otherwise travel to be put back or deleted. `:letters` is _letters.sql. Every row carries the reach.
WITH
  :letters
SELECT (SELECT failed_at FROM reach), (SELECT id FROM reach), page.id, page.failed_at
FROM (SELECT) always LEFT JOIN page ON true
ORDER BY page.failed_at DESC, page.id DESC
