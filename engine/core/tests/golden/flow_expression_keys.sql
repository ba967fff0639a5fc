-- input: vpc_flow_logs 3000
SELECT window_start, CASE WHEN dstport < 1024 THEN 'low' ELSE 'high' END AS ports, approx_percentile_cont(bytes, 0.5) IS NOT NULL AS has_median, stddev(packets) IS NOT NULL AS spreads, bool_or(action = 'REJECT') AS any FROM vpc_flow_logs GROUP BY tumble(event_time, INTERVAL '15' MINUTE), 2
