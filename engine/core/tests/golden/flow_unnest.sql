-- input: vpc_flow_logs 3000
SELECT window_start, day, count(*) FROM vpc_flow_logs CROSS JOIN (VALUES ('a'), ('b')) AS v(day) GROUP BY tumble(event_time, INTERVAL '30' MINUTE), day
