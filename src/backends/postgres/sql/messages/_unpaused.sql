-- Part of what looks for messages `m`, inserted for `:unpaused`: that nobody has paused them. Whether anything is paused
-- at all is looked up once per statement.
NOT (
  EXISTS (SELECT FROM :"schema".messenger_controls)
  AND EXISTS (SELECT FROM :"schema".messenger_controls paused
              WHERE paused.transport_name IN ('', m.transport_name)
                AND paused.queue_name IN ('', m.queue_name)
                AND paused.message_type IN ('', m.message_type)
                AND coalesce(paused.until > now(), true))
)
