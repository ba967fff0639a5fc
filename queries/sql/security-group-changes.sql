-- title = "Security group changes"
-- question = "Who opened or closed which security group?"
-- tables = ["cloudtrail_logs"]
-- answer = "One row for each change that succeeded, in order. world says that the change names 0.0.0.0/0 or ::/0: with Authorize or Modify it opens the group to everybody."
SELECT
    event_time,
    recipientaccountid AS account,
    awsregion,
    coalesce(useridentity.arn, useridentity.invokedby, useridentity.principalid) AS who,
    eventname,
    coalesce(
        json_extract_scalar(requestparameters, '$.groupId'),
        json_extract_scalar(responseelements, '$.groupId'),
        json_extract_scalar(requestparameters, '$.ModifySecurityGroupRulesRequest.GroupId')
    ) AS security_group,
    requestparameters LIKE '%"0.0.0.0/0"%' OR requestparameters LIKE '%"::/0"%' AS world,
    requestparameters
FROM cloudtrail_logs
WHERE eventsource = 'ec2.amazonaws.com'
    AND eventname IN (
        'AuthorizeSecurityGroupIngress', 'AuthorizeSecurityGroupEgress',
        'RevokeSecurityGroupIngress', 'RevokeSecurityGroupEgress',
        'ModifySecurityGroupRules', 'CreateSecurityGroup', 'DeleteSecurityGroup'
    )
    AND errorcode IS NULL
ORDER BY event_time, account, security_group
