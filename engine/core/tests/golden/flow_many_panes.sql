-- input: vpc_flow_logs 3000
SELECT window_end, action, count(*) AS flows FROM vpc_flow_logs GROUP BY hop(event_time, INTERVAL '10' SECOND, INTERVAL '10' MINUTE), action HAVING count(*) > 300
