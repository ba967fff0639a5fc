-- input: alb_access_logs 3000
SELECT window_start, window_end, client_ip, count(*) AS requests FROM alb_access_logs GROUP BY session(event_time, INTERVAL '1' MINUTE), client_ip HAVING count(*) > 10
