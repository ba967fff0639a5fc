-- input: vpc_flow_logs 3000
SELECT window_start, dstport, count(*) FROM vpc_flow_logs WHERE dstport = 22 GROUP BY tumble(event_time, INTERVAL '10' MINUTE), dstport
