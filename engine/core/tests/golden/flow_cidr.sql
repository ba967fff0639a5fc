-- input: vpc_flow_logs 3000
SELECT window_start, contains('10.0.0.0/8', CAST(srcaddr AS VARCHAR)) AS inside, count(*) FROM vpc_flow_logs WHERE srcaddr IS NOT NULL GROUP BY tumble(event_time, INTERVAL '20' MINUTE), 2
