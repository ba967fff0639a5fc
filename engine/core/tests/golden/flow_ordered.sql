-- input: vpc_flow_logs 3000
SELECT window_end, dstport, count(*) AS flows FROM vpc_flow_logs WHERE dstport IN (22, 443, 80) GROUP BY tumble(event_time, INTERVAL '15' MINUTE), dstport ORDER BY window_end, flows DESC, dstport
