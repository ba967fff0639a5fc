-- title = "ALB: slowest URLs"
-- question = "Which URLs take the targets the longest?"
-- tables = ["alb_access_logs"]
-- answer = "One row for each method and URL (without its query) with at least `requests` requests that a target answered, slowest 95th percentile first, in seconds. Percentiles are close estimates."
-- [parameters]
-- requests = { type = "integer", default = 10, doc = "requests that a URL must have" }
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    request_verb,
    split_part(request_url, '?', 1) AS url,
    count(*) AS requests,
    approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY target_processing_time) AS p50,
    approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY target_processing_time) AS p95,
    approx_percentile_cont(0.99) WITHIN GROUP (ORDER BY target_processing_time) AS p99,
    max(target_processing_time) AS slowest
FROM alb_access_logs
-- -1: no target answered
WHERE target_processing_time >= 0
GROUP BY 1, 2
HAVING count(*) >= $requests
ORDER BY p95 DESC, url, request_verb
LIMIT $limit
