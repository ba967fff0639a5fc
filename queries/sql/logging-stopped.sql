-- title = "Logging stopped"
-- question = "Who stopped or changed what is logged?"
-- tables = ["cloudtrail_logs"]
-- answer = "One row for each call that stops, deletes or changes trails, flow logs, AWS Config, GuardDuty, log groups or the logs of buckets, load balancers, WAF and DNS, in order. An error says that it was tried and failed."
SELECT
    event_time,
    recipientaccountid AS account,
    awsregion,
    coalesce(useridentity.arn, useridentity.invokedby, useridentity.principalid) AS who,
    eventsource,
    eventname,
    errorcode,
    requestparameters
FROM cloudtrail_logs
WHERE eventname IN (
    -- CloudTrail
    'StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors',
    'StopEventDataStoreIngestion', 'DeleteEventDataStore', 'UpdateEventDataStore',
    -- VPC flow logs and Route 53 resolver
    'DeleteFlowLogs', 'DeleteResolverQueryLogConfig', 'DisassociateResolverQueryLogConfig',
    -- AWS Config
    'StopConfigurationRecorder', 'DeleteConfigurationRecorder', 'DeleteDeliveryChannel',
    -- GuardDuty
    'DeleteDetector', 'UpdateDetector', 'StopMonitoringMembers', 'DisassociateFromAdministratorAccount',
    -- CloudWatch Logs, S3, load balancers, WAF
    'DeleteLogGroup', 'DeleteLogStream', 'PutBucketLogging', 'ModifyLoadBalancerAttributes',
    'DeleteLoggingConfiguration'
)
ORDER BY event_time, account, eventname
