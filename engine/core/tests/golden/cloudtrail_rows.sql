-- input: cloudtrail_logs 1500
SELECT event_time, eventname, useridentity.type FROM cloudtrail_logs WHERE errorcode IS NOT NULL AND eventsource = 'iam.amazonaws.com'
