-- input: vpc_flow_logs 3000
SELECT window_end, bytes % 2 AS parity, count(*) AS flows, sum(CASE WHEN event_time < TIMESTAMP '2026-01-05 00:30:00' OR dstport = 22 THEN bytes END) AS bytes FROM vpc_flow_logs WHERE bytes IS NOT NULL AND event_time BETWEEN TIMESTAMP '2026-01-05 00:26:00' AND TIMESTAMP '2026-01-05 00:33:00' GROUP BY hop(event_time, INTERVAL '10' SECOND, INTERVAL '1' MINUTE), 2
