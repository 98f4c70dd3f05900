-- Part of every statement that makes messages wait, `:wake` in it: notifies the transports of `arrived`. One
-- notification per transport, and only while a listening worker waits: NOTIFY takes a lock of the whole cluster at
-- commit, and a busy worker polls anyway.
SELECT pg_notify(left('symphony_' || :'schema', 63), sent.transport_name)
FROM (SELECT DISTINCT transport_name FROM arrived) sent
WHERE EXISTS (SELECT FROM :"schema".messenger_workers w
              WHERE w.waiting AND w.lease_until > now() AND sent.transport_name = ANY (w.transports))
