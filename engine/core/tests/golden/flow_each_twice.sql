-- input: vpc_flow_logs 3000
SELECT window_start, letter, count(*) FROM vpc_flow_logs CROSS JOIN (VALUES ('a'), ('b')) AS v(letter) GROUP BY tumble(event_time, INTERVAL '30' MINUTE), letter
