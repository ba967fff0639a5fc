-- title = "Access denied by principal"
-- question = "Who is denied access, and to what?"
-- tables = ["cloudtrail_logs"]
-- answer = "One row for each principal, most denials first, with the calls that were denied. Sessions of one role count together."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    coalesce(useridentity.sessioncontext.sessionissuer.arn, useridentity.arn, useridentity.invokedby, useridentity.principalid) AS who,
    count(*) AS denied,
    count(DISTINCT eventname) AS calls,
    array_to_string(array_sort(array_agg(DISTINCT eventname)), ' ') AS names,
    count(DISTINCT sourceipaddress) AS addresses,
    max(event_time) AS last
FROM cloudtrail_logs
-- EC2 says Client.UnauthorizedOperation
WHERE errorcode LIKE 'AccessDenied%' OR errorcode LIKE '%UnauthorizedOperation'
GROUP BY 1
ORDER BY denied DESC, who
LIMIT $limit
