-- title = "Classic Load Balancer: 5xx by backend"
-- question = "Which backends answer with server errors, and which errors are the load balancer's own?"
-- tables = ["clb_access_logs"]
-- answer = "One row for each backend with requests that ended in a 5xx, most first. from_backend were the backend's own; the others the load balancer made itself. Without a backend there was none that could be reached."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    elb_name,
    backend_ip,
    backend_port,
    count(*) AS requests,
    count(*) FILTER (WHERE elb_response_code LIKE '5%') AS errors,
    count(*) FILTER (WHERE elb_response_code LIKE '5%' AND backend_response_code LIKE '5%') AS from_backend
FROM clb_access_logs
GROUP BY elb_name, backend_ip, backend_port
HAVING count(*) FILTER (WHERE elb_response_code LIKE '5%') > 0
ORDER BY errors DESC, elb_name, backend_ip, backend_port
LIMIT $limit
