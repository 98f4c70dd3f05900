-- Notes the releases of those who are at work, each once. Reads the workers, and the primary key of messenger_releases for
-- each.
INSERT INTO :"schema".messenger_releases (release, version, first_at)
SELECT DISTINCT ON (release) release, version, started_at
FROM :"schema".messenger_workers w
WHERE release IS NOT NULL
  AND NOT EXISTS (SELECT FROM :"schema".messenger_releases known WHERE known.release = w.release)
ORDER BY release, started_at
ON CONFLICT (release) DO NOTHING
