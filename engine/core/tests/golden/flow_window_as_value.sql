-- input: vpc_flow_logs 3000
SELECT tumble(event_time, INTERVAL '20' MINUTE) AS w, count(*) FROM vpc_flow_logs GROUP BY 1
