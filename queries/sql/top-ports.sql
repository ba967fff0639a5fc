-- title = "Top ports"
-- question = "Which destination ports receive the most traffic?"
-- tables = ["vpc_flow_logs"]
-- answer = "One row for each protocol and destination port, most bytes first. Ephemeral ports are the replies."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT protocol, dstport, count(*) AS flows, sum(bytes) AS bytes
FROM vpc_flow_logs
WHERE dstport IS NOT NULL
GROUP BY protocol, dstport
ORDER BY bytes DESC, protocol, dstport
LIMIT $limit
