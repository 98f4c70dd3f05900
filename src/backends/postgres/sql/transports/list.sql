-- Transports added or switched off at run time.
SELECT name, type, config::text, enabled FROM :"schema".messenger_transports
