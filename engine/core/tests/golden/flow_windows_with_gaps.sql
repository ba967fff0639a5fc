-- input: vpc_flow_logs 3000
SELECT window_start, count(*) AS flows FROM vpc_flow_logs GROUP BY hop(event_time, INTERVAL '10' MINUTE, INTERVAL '30' SECOND)
