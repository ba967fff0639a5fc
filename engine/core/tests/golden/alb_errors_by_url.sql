-- input: alb_access_logs 3000
SELECT window_end, request_url, count(*) AS errors FROM alb_access_logs WHERE elb_status_code >= 500 GROUP BY hop(event_time, INTERVAL '10' MINUTE, INTERVAL '30' MINUTE), request_url QUALIFY row_number() OVER (PARTITION BY window_end ORDER BY errors DESC, request_url) <= 2
