-- input: vpc_flow_logs 3000
SELECT window_end, srcaddr, count(*) AS flows, sum(bytes) AS total FROM vpc_flow_logs GROUP BY hop(event_time, INTERVAL '5' MINUTE, INTERVAL '15' MINUTE), srcaddr QUALIFY row_number() OVER (PARTITION BY window_end ORDER BY flows DESC, total DESC, srcaddr) <= 3
