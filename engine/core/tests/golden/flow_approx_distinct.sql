-- input: vpc_flow_logs 3000
SELECT window_end, approx_distinct(dstaddr) AS targets FROM vpc_flow_logs GROUP BY hop(event_time, INTERVAL '10' MINUTE, INTERVAL '20' MINUTE)
