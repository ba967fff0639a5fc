-- input: cloudtrail_logs 1500
SELECT window_start, window_end, sourceipaddress, count(*) AS calls, count(DISTINCT eventname) AS kinds FROM cloudtrail_logs GROUP BY session(event_time, INTERVAL '5' MINUTE), sourceipaddress HAVING count(*) > 12
