-- title = "Top talkers"
-- question = "Which source addresses have the most flows?"
-- tables = ["vpc_flow_logs"]
-- answer = "One row for each source address, most flows first. A flow that two interfaces recorded counts twice: top-talkers-once counts it once."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT srcaddr, count(*) AS flows, sum(bytes) AS bytes
FROM vpc_flow_logs
WHERE srcaddr IS NOT NULL
GROUP BY srcaddr
ORDER BY flows DESC, srcaddr
LIMIT $limit
