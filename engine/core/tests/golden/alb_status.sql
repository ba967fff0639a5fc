-- input: alb_access_logs 3000
SELECT window_start, elb_status_code, count(*) AS requests, max(target_processing_time) FROM alb_access_logs GROUP BY tumble(event_time, INTERVAL '10' MINUTE), elb_status_code
