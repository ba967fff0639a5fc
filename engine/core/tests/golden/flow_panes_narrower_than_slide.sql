-- input: vpc_flow_logs 3000
SELECT window_start, window_end, count(*) AS flows FROM vpc_flow_logs GROUP BY hop(event_time, INTERVAL '4' MINUTE, INTERVAL '10' MINUTE)
