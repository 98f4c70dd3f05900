-- Part of what makes waiting messages due, inserted for `:woken`: workers that wait are woken for those that have `acted`
-- and are due. `:wake` is a part.
arrived AS (
  SELECT transport_name FROM acted WHERE available_at <= now()
),
woken AS (
  :wake
),
