-- input: vpc_flow_logs 3000
SELECT window_end, action, flows, rank() OVER (PARTITION BY window_end ORDER BY flows DESC) AS place, sum(flows) OVER (PARTITION BY window_end) AS of_all FROM (SELECT window_end, action, count(*) AS flows FROM vpc_flow_logs GROUP BY tumble(event_time, INTERVAL '15' MINUTE), action)
