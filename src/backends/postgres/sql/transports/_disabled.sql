-- Part of what takes messages in or out, inserted for `:disabled`: the names of the transports that are switched off,
-- read once per statement. A table of few rows. Who knows them leaves out what is between `asking` and `asked`.
SELECT disabled.name FROM :"schema".messenger_transports disabled WHERE NOT disabled.enabled
