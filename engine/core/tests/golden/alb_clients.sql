-- input: alb_access_logs 3000
SELECT window_end, count(DISTINCT client_ip) AS clients, sum(received_bytes) AS received, sum(sent_bytes) AS sent FROM alb_access_logs GROUP BY hop(event_time, INTERVAL '1' MINUTE, INTERVAL '30' MINUTE) HAVING count(*) > 1200
