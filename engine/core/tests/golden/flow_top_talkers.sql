-- input: vpc_flow_logs 3000
SELECT window_end, srcaddr, count(*) AS flows, sum(bytes) AS bytes FROM vpc_flow_logs GROUP BY hop(event_time, INTERVAL '5' MINUTE, INTERVAL '15' MINUTE), srcaddr QUALIFY row_number() OVER (PARTITION BY window_end ORDER BY flows DESC, bytes DESC, srcaddr) <= 3
