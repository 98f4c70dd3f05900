-- The worker leaves. Only one that is sure that it holds nothing, and that no claim of its own is still on its way, says
-- so; every other one leaves its row, and its lease runs out. Nothing is checked here: what is not committed yet could
-- not be seen, and waiting for the lock of this row would not show it either, because the snapshot is older than the
-- wait. If it were wrong, its messages would be held by nobody, and the next rescue would take them.
--
-- It leaves behind which release it was, unless that is known: short invocations are gone before anybody looks.
WITH gone AS (
  DELETE FROM :"schema".messenger_workers WHERE id = $1 RETURNING release, version, started_at
)
INSERT INTO :"schema".messenger_releases (release, version, first_at)
SELECT release, version, started_at FROM gone WHERE release IS NOT NULL
ON CONFLICT (release) DO NOTHING
