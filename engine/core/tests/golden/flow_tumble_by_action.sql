-- input: vpc_flow_logs 3000
SELECT window_start, action, count(*) AS flows, sum(bytes) AS bytes, min(packets), max(packets) FROM vpc_flow_logs GROUP BY tumble(event_time, INTERVAL '10' MINUTE), action
