-- input: cloudtrail_logs 1500
SELECT window_end, useridentity.arn AS who, count(*) AS denied FROM cloudtrail_logs WHERE errorcode = 'AccessDenied' GROUP BY hop(event_time, INTERVAL '15' MINUTE, INTERVAL '30' MINUTE), useridentity.arn HAVING count(*) >= 2
