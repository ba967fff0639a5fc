-- title = "API errors over time"
-- question = "How many calls fail, step by step?"
-- tables = ["cloudtrail_logs"]
-- answer = "One row for each step of time that has calls, in order. Throttled calls and denied ones are among the errors."
-- [parameters]
-- every = { type = "interval", default = "1h", doc = "length of a step" }
SELECT
    date_bin($every, event_time) AS time,
    count(*) AS calls,
    count(errorcode) AS errors,
    count(*) FILTER (WHERE errorcode LIKE '%Throttl%' OR errorcode LIKE '%RequestLimitExceeded') AS throttled,
    count(*) FILTER (WHERE errorcode LIKE 'AccessDenied%' OR errorcode LIKE '%UnauthorizedOperation') AS denied
FROM cloudtrail_logs
WHERE event_time IS NOT NULL
GROUP BY 1
ORDER BY 1
