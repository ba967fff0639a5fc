-- input: vpc_flow_logs 3000
SELECT action, max(bytes) FROM vpc_flow_logs GROUP BY action, tumble(event_time, INTERVAL '15' MINUTE)
