-- title = "ALB: top URLs"
-- question = "Which URLs are asked for the most?"
-- tables = ["alb_access_logs"]
-- answer = "One row for each method and URL (without its query), most requests first."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    request_verb,
    split_part(request_url, '?', 1) AS url,
    count(*) AS requests,
    count(*) FILTER (WHERE elb_status_code >= 400) AS errors,
    sum(sent_bytes) AS sent_bytes
FROM alb_access_logs
WHERE request_url IS NOT NULL
GROUP BY 1, 2
ORDER BY requests DESC, url, request_verb
LIMIT $limit
