-- title = "Console logins without MFA"
-- question = "Who signs in to the console with a password alone?"
-- tables = ["cloudtrail_logs"]
-- answer = "One row for each sign-in of an IAM user or a root user without a second factor. Users of IAM Identity Center and of other identity providers are left out: their second factor is not seen here."
SELECT
    event_time,
    recipientaccountid AS account,
    useridentity.type AS type,
    useridentity.arn AS who,
    sourceipaddress,
    useragent
FROM cloudtrail_logs
WHERE eventname = 'ConsoleLogin'
    AND useridentity.type IN ('IAMUser', 'Root')
    AND json_extract_scalar(responseelements, '$.ConsoleLogin') = 'Success'
    AND json_extract_scalar(additionaleventdata, '$.MFAUsed') = 'No'
ORDER BY event_time, who
