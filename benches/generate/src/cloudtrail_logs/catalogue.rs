//! The events that happen: what each is called, who causes it, and what it says.

use super::event::Caller::{Federated, OtherAccount, Own, Saml, Service, SignIn, WebIdentity};
use super::event::Effect::{Read, ReadData, Write, WriteData};
use super::event::Event;

const BUCKET: &str = r#"[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::<bucket>/<key>"},{"accountId":"<account>","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::<bucket>"}]"#;
const KEY: &str = r#"[{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms>"}]"#;
const ROLE: &str = r#"[{"accountId":"<account>","type":"AWS::IAM::Role","ARN":"arn:aws:iam::<account>:role/<role>"}]"#;
const SENT: &str = r#"{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":<number>,"SSEApplied":"Default_SSE_S3","AuthenticationMethod":"AuthHeader","x-amz-id-2":"<token>","bytesTransferredOut":0}"#;
const FETCHED: &str = r#"{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"<token>","bytesTransferredOut":<number>}"#;
const CREDENTIALS: &str = r#"{"credentials":{"accessKeyId":"ASIA<access-key>","sessionToken":"<token>","expiration":"<expiry>"},"assumedRoleUser":{"assumedRoleId":"<role-id>:<session>","arn":"arn:aws:sts::<account>:assumed-role/<role>/<session>"}}"#;

/// Weights add up to about a million.
pub(super) static EVENTS: [(u32, Event); 41] = [
    (
        90_000,
        Event::new("sts", "AssumeRole", "1.08", Own, Read)
            .asks(r#"{"roleArn":"arn:aws:iam::<account>:role/<role>","roleSessionName":"<session>","durationSeconds":3600}"#)
            .gets(CREDENTIALS)
            .of(ROLE),
    ),
    (
        80_000,
        Event::new("sts", "AssumeRole", "1.08", Service("ec2"), Read)
            .asks(r#"{"roleArn":"arn:aws:iam::<account>:role/<role>","roleSessionName":"<instance>"}"#)
            .gets(CREDENTIALS)
            .of(ROLE),
    ),
    (
        40_000,
        Event::new("sts", "AssumeRole", "1.08", Service("lambda"), Read)
            .asks(r#"{"roleArn":"arn:aws:iam::<account>:role/<role>","roleSessionName":"<function>"}"#)
            .gets(CREDENTIALS)
            .of(ROLE),
    ),
    (
        6_000,
        Event::new("sts", "AssumeRoleWithSAML", "1.08", Saml, Read)
            .asks(r#"{"sAMLAssertionID":"_<uuid>","roleSessionName":"<person>@example.com","durationSeconds":28800,"roleArn":"arn:aws:iam::<account>:role/<role>","principalArn":"arn:aws:iam::<account>:saml-provider/example-sso"}"#)
            .gets(CREDENTIALS)
            .of(ROLE),
    ),
    (
        9_000,
        Event::new("sts", "AssumeRoleWithWebIdentity", "1.08", WebIdentity, Read)
            .asks(r#"{"roleArn":"arn:aws:iam::<account>:role/<role>","roleSessionName":"<session>"}"#)
            .gets(CREDENTIALS)
            .of(ROLE),
    ),
    (55_000, Event::new("sts", "GetCallerIdentity", "1.08", Own, Read)),
    (
        90_000,
        Event::new("ec2", "DescribeInstances", "1.10", Own, Read)
            .asks(r#"{"maxResults":100,"instancesSet":{"items":[{"instanceId":"<instance>"}]},"filterSet":{"items":[{"name":"instance-state-name","valueSet":{"items":[{"value":"running"},{"value":"stopping"}]}}]}}"#),
    ),
    (
        35_000,
        Event::new("ec2", "DescribeSecurityGroups", "1.10", Own, Read)
            .asks(r#"{"maxResults":1000,"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"<group>"}]},"filterSet":{}}"#),
    ),
    (
        30_000,
        Event::new("ec2", "DescribeVolumes", "1.10", Federated, Read)
            .asks(r#"{"volumeSet":{},"filterSet":{"items":[{"name":"attachment.instance-id","valueSet":{"items":[{"value":"<instance>"}]}}]}}"#),
    ),
    (
        6_000,
        Event::new("ec2", "RunInstances", "1.10", Own, Write)
            .asks(r#"{"instancesSet":{"items":[{"imageId":"<image>","minCount":1,"maxCount":1}]},"instanceType":"m7g.large","blockDeviceMapping":{"items":[{"deviceName":"/dev/xvda","ebs":{"volumeSize":40,"deleteOnTermination":true,"volumeType":"gp3"}}]},"networkInterfaceSet":{"items":[{"deviceIndex":0,"subnetId":"<subnet>","groupSet":{"items":[{"groupId":"<group>"}]}}]},"clientToken":"<uuid>","monitoring":{"enabled":false},"disableApiTermination":false}"#)
            .gets(r#"{"requestId":"<uuid>","reservationId":"r-0<hex>","ownerId":"<account>","groupSet":{},"instancesSet":{"items":[{"instanceId":"<instance>","imageId":"<image>","instanceState":{"code":0,"name":"pending"},"privateDnsName":"ip-<dashed>.ec2.internal","amiLaunchIndex":0,"instanceType":"m7g.large","launchTime":<millis>,"placement":{"availabilityZone":"<region>a","tenancy":"default"},"subnetId":"<subnet>","vpcId":"<vpc>","privateIpAddress":"<ip>","stateReason":{"code":"pending","message":"pending"},"architecture":"arm64","rootDeviceType":"ebs","tagSet":{"items":[{"key":"Name","value":"web \"blue\""},{"key":"team","value":"orders"}]}}]}}"#),
    ),
    (
        5_000,
        Event::new("ec2", "TerminateInstances", "1.10", Own, Write)
            .asks(r#"{"instancesSet":{"items":[{"instanceId":"<instance>"}]}}"#)
            .gets(r#"{"requestId":"<uuid>","instancesSet":{"items":[{"instanceId":"<instance>","currentState":{"code":32,"name":"shutting-down"},"previousState":{"code":16,"name":"running"}}]}}"#),
    ),
    (
        2_500,
        Event::new("ec2", "AuthorizeSecurityGroupIngress", "1.10", Own, Write)
            .asks(r#"{"groupId":"<group>","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":<port>,"toPort":<port>,"groups":{},"ipRanges":{"items":[{"cidrIp":"<cidr>","description":"asked for by <person>"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#)
            .gets(r#"{"requestId":"<uuid>","_return":true,"securityGroupRuleSet":{"items":[{"groupOwnerId":"<account>","groupId":"<group>","securityGroupRuleId":"sgr-0<hex>","isEgress":false,"ipProtocol":"tcp","fromPort":<port>,"toPort":<port>,"cidrIpv4":"<cidr>"}]}}"#),
    ),
    (
        8_000,
        Event::new("ec2", "CreateTags", "1.10", Own, Write)
            .asks(r#"{"resourcesSet":{"items":[{"resourceId":"<instance>"}]},"tagSet":{"items":[{"key":"cost center","value":"Küche & Bad"},{"key":"path","value":"C:\\data\\<hex>"}]}}"#)
            .gets(r#"{"requestId":"<uuid>","_return":true}"#),
    ),
    (
        90_000,
        Event::new("s3", "GetObject", "1.11", Own, ReadData)
            .asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","key":"<key>"}"#)
            .adds(FETCHED)
            .of(BUCKET),
    ),
    (
        20_000,
        Event::new("s3", "GetObject", "1.11", OtherAccount, ReadData)
            .asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","key":"<key>"}"#)
            .adds(FETCHED)
            .of(BUCKET),
    ),
    (
        55_000,
        Event::new("s3", "PutObject", "1.11", Own, WriteData)
            .asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","key":"<key>","x-amz-storage-class":"STANDARD"}"#)
            .gets(r#"{"x-amz-server-side-encryption":"AES256","x-amz-version-id":"<hex>"}"#)
            .adds(SENT)
            .of(BUCKET),
    ),
    (
        25_000,
        Event::new("s3", "PutObject", "1.11", Service("delivery.logs"), WriteData)
            .asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","key":"<key>","x-amz-acl":"bucket-owner-full-control"}"#)
            .gets(r#"{"x-amz-server-side-encryption":"AES256"}"#)
            .adds(SENT)
            .of(BUCKET),
    ),
    (
        15_000,
        Event::new("s3", "ListBuckets", "1.11", Own, Read)
            .asks(r#"{"Host":"s3.<region>.amazonaws.com"}"#),
    ),
    (
        12_000,
        Event::new("s3", "GetBucketAcl", "1.11", Service("cloudtrail"), Read)
            .asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","acl":""}"#)
            .of(r#"[{"accountId":"<account>","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::<bucket>"}]"#),
    ),
    (
        1_000,
        Event::new("s3", "PutBucketPolicy", "1.11", Own, Write)
            .asks(r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","policy":"","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Sid":"read","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::<account>:role/<role>"]},"Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::<bucket>","arn:aws:s3:::<bucket>/*"],"Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}}"#),
    ),
    (
        75_000,
        Event::new("kms", "Decrypt", "1.11", Own, Read)
            .asks(r#"{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::<bucket>/<key>"},"keyId":"arn:aws:kms:<region>:<account>:key/<kms>","encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#)
            .of(KEY),
    ),
    (
        45_000,
        Event::new("kms", "Decrypt", "1.11", Service("secretsmanager"), Read)
            .asks(r#"{"encryptionContext":{"SecretARN":"arn:aws:secretsmanager:<region>:<account>:secret:prod/<function>"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#)
            .of(KEY),
    ),
    (
        40_000,
        Event::new("kms", "GenerateDataKey", "1.11", Own, Read)
            .asks(r#"{"keyId":"arn:aws:kms:<region>:<account>:key/<kms>","keySpec":"AES_256","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::<bucket>"}}"#)
            .of(KEY),
    ),
    (
        500,
        Event::new("kms", "ScheduleKeyDeletion", "1.11", Own, Write)
            .asks(r#"{"keyId":"<kms>","pendingWindowInDays":30}"#)
            .gets(r#"{"keyId":"arn:aws:kms:<region>:<account>:key/<kms>","deletionDate":"<expiry>","keyState":"PendingDeletion","pendingWindowInDays":30}"#)
            .of(KEY),
    ),
    (
        45_000,
        Event::new("lambda", "Invoke", "1.11", Own, WriteData)
            .asks(r#"{"functionName":"arn:aws:lambda:<region>:<account>:function:<function>","invocationType":"RequestResponse"}"#)
            .adds(r#"{"functionVersion":"arn:aws:lambda:<region>:<account>:function:<function>:$LATEST"}"#)
            .of(r#"[{"accountId":"<account>","type":"AWS::Lambda::Function","ARN":"arn:aws:lambda:<region>:<account>:function:<function>"}]"#),
    ),
    (
        3_000,
        Event::new("lambda", "UpdateFunctionCode20150331v2", "1.11", Own, Write)
            .asks(r#"{"functionName":"<function>","s3Bucket":"<bucket>","s3Key":"<key>","publish":true,"dryRun":false}"#)
            .gets(r#"{"functionName":"<function>","functionArn":"arn:aws:lambda:<region>:<account>:function:<function>","runtime":"python3.13","role":"arn:aws:iam::<account>:role/<role>","handler":"app.handler","codeSize":<number>,"timeout":30,"memorySize":512,"lastModified":"<time>","version":"41","environment":{},"tracingConfig":{"mode":"PassThrough"},"revisionId":"<uuid>","layers":[{"arn":"arn:aws:lambda:<region>:<account>:layer:shared:7","codeSize":10240}],"state":"Active","packageType":"Zip","architectures":["arm64"]}"#),
    ),
    (
        15_000,
        Event::new("lambda", "ListFunctions20150331", "1.11", Own, Read).asks(r#"{"maxItems":50}"#),
    ),
    (
        35_000,
        Event::new("logs", "CreateLogStream", "1.11", Service("lambda"), Write)
            .asks(r#"{"logGroupName":"/aws/lambda/<function>","logStreamName":"2026/01/05/[$LATEST]<hex>"}"#),
    ),
    (
        20_000,
        Event::new("logs", "DescribeLogGroups", "1.11", Own, Read)
            .asks(r#"{"logGroupNamePrefix":"/aws/lambda/<function>","limit":50}"#),
    ),
    (
        600,
        Event::new("logs", "DeleteLogGroup", "1.11", Own, Write)
            .asks(r#"{"logGroupName":"/aws/lambda/<function>"}"#),
    ),
    (
        22_000,
        Event::new("rds", "DescribeDBInstances", "1.11", Own, Read)
            .asks(r#"{"dBInstanceIdentifier":"<database>","maxRecords":100}"#),
    ),
    (
        1_500,
        Event::new("rds", "CreateDBSnapshot", "1.11", Own, Write)
            .asks(r#"{"dBSnapshotIdentifier":"<database>-<hex>","dBInstanceIdentifier":"<database>","tags":[{"key":"reason","value":"before \"upgrade\"\n(ticket <number>)"}]}"#)
            .gets(r#"{"dBSnapshotIdentifier":"<database>-<hex>","dBInstanceIdentifier":"<database>","engine":"postgres","engineVersion":"17.6","allocatedStorage":200,"status":"creating","port":5432,"vpcId":"<vpc>","encrypted":true,"kmsKeyId":"arn:aws:kms:<region>:<account>:key/<kms>","percentProgress":0,"iAMDatabaseAuthenticationEnabled":false}"#),
    ),
    (
        14_000,
        Event::new("iam", "ListUsers", "1.10", Own, Read).asks(r#"{"maxItems":1000}"#),
    ),
    (
        13_000,
        Event::new("iam", "GetUser", "1.10", Own, Read).asks(r#"{"userName":"<person>"}"#),
    ),
    (
        1_200,
        Event::new("iam", "CreateAccessKey", "1.10", Own, Write)
            .asks(r#"{"userName":"<person>"}"#)
            .gets(r#"{"accessKey":{"userName":"<person>","accessKeyId":"ASIA<access-key>","status":"Active","createDate":"<expiry>"}}"#),
    ),
    (
        1_000,
        Event::new("iam", "PutRolePolicy", "1.10", Own, Write)
            .asks(r#"{"roleName":"<role>","policyName":"inline","policyDocument":"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": \"arn:aws:s3:::<bucket>/*\"}\n  ]\n}"}"#),
    ),
    (
        800,
        Event::new("iam", "AttachUserPolicy", "1.10", Own, Write)
            .asks(r#"{"userName":"<person>","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}"#),
    ),
    (
        5_000,
        Event::new("signin", "ConsoleLogin", "1.11", SignIn, Write),
    ),
    (
        14_000,
        Event::new("cloudtrail", "DescribeTrails", "1.11", Own, Read)
            .asks(r#"{"trailNameList":[],"includeShadowTrails":true}"#),
    ),
    (
        18_000,
        Event::new("cloudtrail", "LookupEvents", "1.11", Own, Read)
            .asks(r#"{"maxResults":50,"lookupAttributes":[{"attributeKey":"EventName","attributeValue":"ConsoleLogin"}],"startTime":"<expiry>"}"#),
    ),
    (
        20,
        Event::new("cloudtrail", "StopLogging", "1.11", Own, Write)
            .asks(r#"{"name":"arn:aws:cloudtrail:<region>:<account>:trail/main"}"#),
    ),
];
