-- input: vpc_flow_logs 3000
SELECT window_start, count(*) FILTER (WHERE action = 'REJECT') AS rejected, sum(bytes) FILTER (WHERE protocol = 17) AS udp FROM vpc_flow_logs GROUP BY tumble(event_time, INTERVAL '6' MINUTE)
