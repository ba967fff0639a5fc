-- title = "IAM changes"
-- question = "Who created or changed users, keys, roles and policies?"
-- tables = ["cloudtrail_logs"]
-- answer = "One row for each call of IAM that changed something, in order."
SELECT
    event_time,
    recipientaccountid AS account,
    coalesce(useridentity.arn, useridentity.invokedby, useridentity.principalid) AS who,
    eventname,
    coalesce(
        json_extract_scalar(requestparameters, '$.userName'),
        json_extract_scalar(requestparameters, '$.roleName'),
        json_extract_scalar(requestparameters, '$.groupName'),
        json_extract_scalar(requestparameters, '$.instanceProfileName')
    ) AS changed,
    coalesce(
        json_extract_scalar(requestparameters, '$.policyArn'),
        json_extract_scalar(requestparameters, '$.policyName')
    ) AS policy,
    coalesce(
        json_extract_scalar(responseelements, '$.accessKey.accessKeyId'),
        json_extract_scalar(requestparameters, '$.accessKeyId')
    ) AS access_key
FROM cloudtrail_logs
WHERE eventsource = 'iam.amazonaws.com' AND readonly = 'false' AND errorcode IS NULL
ORDER BY event_time, account, eventname
