-- title = "ALB: blocked by WAF"
-- question = "Which clients does WAF turn away?"
-- tables = ["alb_access_logs"]
-- answer = "One row for each client and load balancer with requests whose last action was waf, most first. Where more actions follow WAF let the request through; waf-failed is a request that could not be sent to WAF."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    elb,
    client_ip,
    count(*) AS blocked,
    count(DISTINCT split_part(request_url, '?', 1)) AS urls,
    min(event_time) AS first,
    max(event_time) AS last
FROM alb_access_logs
WHERE actions_executed = 'waf' OR actions_executed LIKE '%,waf'
GROUP BY elb, client_ip
ORDER BY blocked DESC, elb, client_ip
LIMIT $limit
