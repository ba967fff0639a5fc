-- input: vpc_flow_logs 3000
SELECT window_start, dstport, count(*) AS flows FROM vpc_flow_logs WHERE action = 'REJECT' AND protocol = 6 GROUP BY tumble(event_time, INTERVAL '15' MINUTE), dstport HAVING count(*) >= 3
