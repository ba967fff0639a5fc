-- input: vpc_flow_logs 3000
SELECT window_start, window_end, count(*) AS flows, count(DISTINCT srcaddr) FROM vpc_flow_logs WHERE dstport = 22 GROUP BY session(event_time, INTERVAL '30' SECOND)
