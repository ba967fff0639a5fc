-- title = "Failed console logins"
-- question = "From where do people try to sign in and fail?"
-- tables = ["cloudtrail_logs"]
-- answer = "One row for each address with failed sign-ins to the console, most first. succeeded counts the sign-ins from the same address that went well. Unknown user names are hidden by AWS and count as one user."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    sourceipaddress,
    count(*) FILTER (WHERE json_extract_scalar(responseelements, '$.ConsoleLogin') = 'Failure') AS failed,
    count(*) FILTER (WHERE json_extract_scalar(responseelements, '$.ConsoleLogin') = 'Success') AS succeeded,
    count(DISTINCT useridentity.username) AS users,
    min(event_time) AS first,
    max(event_time) AS last
FROM cloudtrail_logs
WHERE eventname = 'ConsoleLogin'
GROUP BY sourceipaddress
HAVING count(*) FILTER (WHERE json_extract_scalar(responseelements, '$.ConsoleLogin') = 'Failure') > 0
ORDER BY failed DESC, sourceipaddress
LIMIT $limit
