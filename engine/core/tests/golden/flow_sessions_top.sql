-- input: vpc_flow_logs 3000
SELECT window_start, window_end, srcaddr, sum(bytes) AS bytes FROM vpc_flow_logs GROUP BY session(event_time, INTERVAL '10' MINUTE), srcaddr HAVING sum(bytes) > 1000000
