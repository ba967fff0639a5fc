-- input: vpc_flow_logs 3000
SELECT window_end, action, count(*) AS flows, avg(bytes) AS mean FROM vpc_flow_logs GROUP BY hop(event_time, INTERVAL '5' MINUTE, INTERVAL '20' MINUTE), action
