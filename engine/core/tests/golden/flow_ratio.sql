-- input: vpc_flow_logs 3000
SELECT window_end, round(100.0 * count(*) FILTER (WHERE action = 'REJECT') / count(*), 2) AS percent FROM vpc_flow_logs GROUP BY hop(event_time, INTERVAL '5' MINUTE, INTERVAL '10' MINUTE) HAVING count(*) > 10
