-- input: vpc_flow_logs 3000
SELECT w.window_start, n.name, w.flows FROM (SELECT window_start, protocol, count(*) AS flows FROM vpc_flow_logs GROUP BY tumble(event_time, INTERVAL '10' MINUTE), protocol) AS w JOIN (VALUES (6, 'TCP'), (17, 'UDP')) AS n(number, name) ON w.protocol = n.number
