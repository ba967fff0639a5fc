-- title = "Public bucket changes"
-- question = "Who made buckets public, or took away what keeps them private?"
-- tables = ["cloudtrail_logs"]
-- answer = "One row for each change that succeeded, in order: a policy whose principal is everybody, an ACL for everybody or for all AWS users, a public access block that was deleted or has a part switched off. Policies may still be narrowed by conditions."
SELECT
    event_time,
    recipientaccountid AS account,
    coalesce(useridentity.arn, useridentity.invokedby, useridentity.principalid) AS who,
    eventname,
    json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
    requestparameters
FROM cloudtrail_logs
WHERE eventsource = 's3.amazonaws.com'
    AND errorcode IS NULL
    AND (
        eventname IN ('DeleteBucketPublicAccessBlock', 'DeleteAccountPublicAccessBlock')
        OR eventname IN ('PutBucketPublicAccessBlock', 'PutAccountPublicAccessBlock')
            AND requestparameters ~ '"(BlockPublicAcls|IgnorePublicAcls|BlockPublicPolicy|RestrictPublicBuckets)": ?"?false'
        OR eventname = 'PutBucketPolicy'
            AND requestparameters ~ '"Effect": ?"Allow"'
            AND requestparameters ~ '"Principal": ?("\*"|\{"AWS": ?(\[[^]]*)?"\*")'
        OR eventname IN ('PutBucketAcl', 'CreateBucket')
            AND (
                requestparameters LIKE '%/groups/global/AllUsers%'
                OR requestparameters LIKE '%/groups/global/AuthenticatedUsers%'
                OR json_extract(requestparameters, '$["x-amz-acl"]') ~ 'public-read|authenticated-read'
            )
    )
ORDER BY event_time, account, bucket
