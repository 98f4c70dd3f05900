-- Where the dead letters of one page stand, newest first, without what is in them: a page of a thousand letters of 1 MB
-- would otherwise travel to be put back or deleted. `:letters` is _letters.sql.
SELECT id, failed_at
:letters
