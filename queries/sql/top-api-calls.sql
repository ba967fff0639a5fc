-- title = "Top API calls"
-- question = "Which calls are made the most?"
-- tables = ["cloudtrail_logs"]
-- answer = "One row for each service and call, most calls first."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    eventsource,
    eventname,
    count(*) AS calls,
    count(errorcode) AS errors,
    count(DISTINCT useridentity.arn) AS principals
FROM cloudtrail_logs
GROUP BY eventsource, eventname
ORDER BY calls DESC, eventsource, eventname
LIMIT $limit
