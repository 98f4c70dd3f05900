-- Part of every settlement, inserted for `:all`: all of it is done, or nothing. Where a fence of $1 no longer holds,
-- the statement fails with SQLSTATE 22012, and no outcome is applied and nothing counted. So the counts are always
-- those of what was done, and one query tells whether a settlement was done whose answer was lost.
1 / ((SELECT count(*) FROM settled) = cardinality($1))::integer
