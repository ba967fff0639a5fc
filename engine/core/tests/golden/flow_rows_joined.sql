-- input: vpc_flow_logs 3000
SELECT event_time, srcaddr, n.name, packets * 2 AS twice FROM vpc_flow_logs f JOIN (VALUES (22, 'ssh')) AS n(port, name) ON f.dstport = n.port WHERE action = 'ACCEPT'
