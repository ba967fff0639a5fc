-- title = "Usage of root users"
-- question = "What was done as the root user of an account?"
-- tables = ["cloudtrail_logs"]
-- answer = "One row for each account and call by a root user itself, last one first. What AWS does on its behalf is left out."
SELECT
    recipientaccountid AS account,
    eventsource,
    eventname,
    count(*) AS calls,
    count(errorcode) AS errors,
    count(DISTINCT sourceipaddress) AS addresses,
    min(event_time) AS first,
    max(event_time) AS last
FROM cloudtrail_logs
WHERE useridentity.type = 'Root'
    AND useridentity.invokedby IS NULL
    AND eventtype IS DISTINCT FROM 'AwsServiceEvent'
GROUP BY 1, 2, 3
ORDER BY last DESC, account, eventsource, eventname
