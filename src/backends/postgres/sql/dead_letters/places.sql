-- The places of the dead letters of one page, newest first, without their contents: a page of a thousand letters of
-- 1 MB would otherwise travel to be put back or deleted. `:letters` is _letters.sql.
SELECT id, failed_at
:letters
