-- input: alb_access_logs 3000
SELECT event_time, client_ip, request_verb, request_url FROM alb_access_logs WHERE elb_status_code = 503
