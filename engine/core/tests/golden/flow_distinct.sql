-- input: vpc_flow_logs 3000
SELECT window_end, action, count(DISTINCT srcaddr) AS sources, count(DISTINCT dstport) AS ports FROM vpc_flow_logs GROUP BY hop(event_time, INTERVAL '10' MINUTE, INTERVAL '20' MINUTE), action
