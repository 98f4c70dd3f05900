-- Part of every settlement that notes a failed run, inserted for `:history`: the runs of `e` that failed before, with room
-- for one more. Of those, the last two keep their stacks.
(CASE WHEN jsonb_typeof(e.error_history) IS DISTINCT FROM 'array' THEN '[]'
      WHEN jsonb_array_length(e.error_history) >= 20 THEN e.error_history - 0
      ELSE e.error_history END) #- '{-3,stack}'
