-- How many of the newest $9 dead letters match, and whether there are more than these; the filter as in
-- list.sql. Index: messenger_failed_messages_newest.
SELECT count(*) FILTER (
         WHERE ($1::text IS NULL OR message_type = $1)
           AND ($2::text IS NULL OR transport_name = $2)
           AND ($3::text IS NULL OR queue_name = $3)
           AND ($4::text IS NULL OR error_class = $4)
           AND ($5::text IS NULL OR position(lower($5) IN lower(error)) > 0
                OR position(lower($5) IN lower(body::text)) > 0)
           AND ($6::timestamptz IS NULL OR failed_at >= $6)
           AND ($7::timestamptz IS NULL OR failed_at <= $7)
           AND ($8::uuid[] IS NULL OR id = ANY ($8))),
       count(*) >= $9
FROM (SELECT * FROM :"schema".messenger_failed_messages ORDER BY failed_at DESC, id DESC LIMIT $9) newest
