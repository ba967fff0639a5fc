-- title = "ALB: top user agents"
-- question = "What programs make the requests?"
-- tables = ["alb_access_logs"]
-- answer = "One row for each user agent, most requests first. Without a name are requests that sent none."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    user_agent,
    count(*) AS requests,
    count(DISTINCT client_ip) AS clients,
    count(*) FILTER (WHERE elb_status_code >= 400) AS errors
FROM alb_access_logs
GROUP BY user_agent
ORDER BY requests DESC, user_agent
LIMIT $limit
