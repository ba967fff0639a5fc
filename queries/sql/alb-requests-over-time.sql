-- title = "ALB: requests over time"
-- question = "How many requests are there, step by step, and how do they end?"
-- tables = ["alb_access_logs"]
-- answer = "One row for each step of time that has requests, in order."
-- [parameters]
-- every = { type = "interval", default = "1h", doc = "length of a step" }
SELECT
    date_bin($every, event_time) AS time,
    count(*) AS requests,
    count(*) FILTER (WHERE elb_status_code BETWEEN 300 AND 399) AS redirects,
    count(*) FILTER (WHERE elb_status_code BETWEEN 400 AND 499) AS client_errors,
    count(*) FILTER (WHERE elb_status_code >= 500) AS server_errors,
    sum(received_bytes) AS received_bytes,
    sum(sent_bytes) AS sent_bytes
FROM alb_access_logs
GROUP BY 1
ORDER BY 1
