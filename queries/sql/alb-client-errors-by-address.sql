-- title = "ALB: client errors by address"
-- question = "Which addresses make the most requests that are refused?"
-- tables = ["alb_access_logs"]
-- answer = "One row for each client with answers 400 to 499, most first. Many URLs with 404 are a search for holes; many 401 or 403 of one URL are guesses at passwords."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    client_ip,
    count(*) AS errors,
    count(DISTINCT split_part(request_url, '?', 1)) AS urls,
    count(*) FILTER (WHERE elb_status_code IN (401, 403)) AS denied,
    count(*) FILTER (WHERE elb_status_code = 404) AS not_found,
    min(event_time) AS first,
    max(event_time) AS last
FROM alb_access_logs
WHERE elb_status_code BETWEEN 400 AND 499
GROUP BY client_ip
ORDER BY errors DESC, client_ip
LIMIT $limit
