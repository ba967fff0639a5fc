-- title = "Rejected by source"
-- question = "Which source addresses are turned away the most?"
-- tables = ["vpc_flow_logs"]
-- answer = "One row for each source with rejected flows: how many, at how many ports, of how many destinations."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    srcaddr,
    count(*) AS rejected,
    count(DISTINCT dstport) AS ports,
    count(DISTINCT dstaddr) AS destinations
FROM vpc_flow_logs
WHERE action = 'REJECT'
GROUP BY srcaddr
ORDER BY rejected DESC, srcaddr
LIMIT $limit
