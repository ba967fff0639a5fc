-- input: vpc_flow_logs 3000 900
SELECT window_start, count(*) FROM vpc_flow_logs GROUP BY tumble(to_timestamp_seconds("end"), INTERVAL '15' MINUTE)
