-- title = "ALB: 5xx by target"
-- question = "Which targets answer with server errors, and which errors are the load balancer's own?"
-- tables = ["alb_access_logs"]
-- answer = "One row for each target with requests that ended in a 5xx, most first. from_target were the target's own; the others the load balancer made itself, since the target did not answer in time or at all. Without a target there was none that could be reached."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    elb,
    target_ip,
    target_port,
    count(*) AS requests,
    count(*) FILTER (WHERE elb_status_code >= 500) AS errors,
    count(*) FILTER (WHERE elb_status_code >= 500 AND target_status_code LIKE '5%') AS from_target,
    round(100.0 * count(*) FILTER (WHERE elb_status_code >= 500) / count(*), 1) AS percent
FROM alb_access_logs
GROUP BY elb, target_ip, target_port
HAVING count(*) FILTER (WHERE elb_status_code >= 500) > 0
ORDER BY errors DESC, elb, target_ip, target_port
LIMIT $limit
