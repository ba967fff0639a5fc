-- input: vpc_flow_logs 3000
SELECT window_start, window_end, interface_id, count(*) AS flows FROM vpc_flow_logs GROUP BY session(event_time, INTERVAL '2' MINUTE), interface_id
