-- Part of what reads the audit, inserted for `:entry`: the columns of an entry.
id, at, actor, action, target::text, reason, matched, done, skipped, failed, steps, cursor, error, updated_at, ended_at,
ended, role
