-- title = "KMS key deletions"
-- question = "Which encryption keys are being deleted or switched off?"
-- tables = ["cloudtrail_logs"]
-- answer = "One row for each call that schedules or cancels a key's deletion, switches it off, or deletes its material, in order. What a key encrypted is lost on deletion_date."
SELECT
    event_time,
    recipientaccountid AS account,
    awsregion,
    coalesce(useridentity.arn, useridentity.invokedby, useridentity.principalid) AS who,
    eventname,
    json_extract_scalar(requestparameters, '$.keyId') AS key,
    json_extract_scalar(responseelements, '$.deletionDate') AS deletion_date
FROM cloudtrail_logs
WHERE eventsource = 'kms.amazonaws.com'
    AND eventname IN (
        'ScheduleKeyDeletion', 'CancelKeyDeletion', 'DisableKey',
        'DeleteImportedKeyMaterial', 'DeleteCustomKeyStore'
    )
    AND errorcode IS NULL
ORDER BY event_time, key
