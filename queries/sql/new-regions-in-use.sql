-- title = "New Regions in use"
-- question = "Which Regions have only lately been used?"
-- tables = ["cloudtrail_logs"]
-- answer = "One row for each account and Region whose first call is not older than `within`, counted back from the last call there is. The logs must reach further back than that, or every Region is new. Calls that only read are often scanners that ask every Region."
-- [parameters]
-- within = { type = "interval", default = "7d", doc = "how new a Region must be" }
SELECT
    recipientaccountid AS account,
    awsregion,
    min(event_time) AS first,
    count(*) AS calls,
    count(*) FILTER (WHERE readonly = 'false') AS writes,
    count(DISTINCT useridentity.arn) AS principals
FROM cloudtrail_logs
GROUP BY recipientaccountid, awsregion
HAVING min(event_time) >= (SELECT max(event_time) FROM cloudtrail_logs) - $within
ORDER BY writes DESC, first, account, awsregion
