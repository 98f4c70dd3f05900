-- The newest $1 releases that were seen. One row for each deployment, so it is read as a whole.
SELECT release, version, first_at FROM :"schema".messenger_releases ORDER BY first_at DESC, release LIMIT $1
