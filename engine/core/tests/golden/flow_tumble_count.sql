-- input: vpc_flow_logs 3000
SELECT window_start, window_end, count(*) AS flows FROM vpc_flow_logs GROUP BY tumble(event_time, INTERVAL '5' MINUTE)
