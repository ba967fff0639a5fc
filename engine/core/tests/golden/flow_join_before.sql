-- input: vpc_flow_logs 3000
SELECT window_start, n.name, count(*) AS flows FROM vpc_flow_logs f LEFT JOIN (VALUES (22, 'ssh'), (443, 'https')) AS n(port, name) ON f.dstport = n.port GROUP BY tumble(event_time, INTERVAL '20' MINUTE), n.name
