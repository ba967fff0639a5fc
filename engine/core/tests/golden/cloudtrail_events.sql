-- input: cloudtrail_logs 1500
SELECT window_start, eventname, count(*) AS calls FROM cloudtrail_logs GROUP BY tumble(event_time, INTERVAL '15' MINUTE), eventname QUALIFY row_number() OVER (PARTITION BY window_start ORDER BY calls DESC, eventname) <= 4
