-- title = "Role assumptions across accounts"
-- question = "Who from other accounts assumes our roles?"
-- tables = ["cloudtrail_logs"]
-- answer = "One row for each account of a caller and role in another account, most assumptions first. An assumption that both accounts have logged counts once. AWS services, which have no account, and the accounts that `trusted` names are left out."
-- [parameters]
-- trusted = { type = "list", default = [], doc = "accounts to leave out" }
-- limit = { type = "integer", default = 10, doc = "rows at most" }
WITH assumptions AS (
    SELECT
        useridentity.accountid AS caller_account,
        json_extract_scalar(requestparameters, '$.roleArn') AS role,
        coalesce(useridentity.arn, useridentity.principalid) AS caller,
        coalesce(sharedeventid, eventid) AS id,
        errorcode,
        event_time
    FROM cloudtrail_logs
    WHERE eventsource = 'sts.amazonaws.com' AND eventname LIKE 'AssumeRole%'
)
SELECT
    caller_account,
    role,
    count(DISTINCT id) FILTER (WHERE errorcode IS NULL) AS assumptions,
    count(DISTINCT id) FILTER (WHERE errorcode IS NOT NULL) AS refused,
    count(DISTINCT caller) AS callers,
    min(event_time) AS first,
    max(event_time) AS last
FROM assumptions
WHERE caller_account <> split_part(role, ':', 5) AND caller_account NOT IN ($trusted)
GROUP BY caller_account, role
ORDER BY assumptions DESC, refused DESC, caller_account, role
LIMIT $limit
