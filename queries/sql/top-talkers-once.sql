-- title = "Top talkers, each flow once"
-- question = "Which source addresses send the most, if a flow that two interfaces recorded counts once?"
-- tables = ["vpc_flow_logs"]
-- answer = "One row for each source address, most bytes first. Between two interfaces of yours both record the same packets. For each pair of addresses, ports and protocol only the interface that saw the most counts; so where two networks use the same addresses, one of them goes missing."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
WITH recorded AS (
    SELECT srcaddr, dstaddr, srcport, dstport, protocol, count(*) AS flows, sum(bytes) AS bytes
    FROM vpc_flow_logs
    WHERE srcaddr IS NOT NULL
    GROUP BY interface_id, srcaddr, dstaddr, srcport, dstport, protocol
),
once AS (
    SELECT srcaddr, max(flows) AS flows, max(bytes) AS bytes
    FROM recorded
    GROUP BY srcaddr, dstaddr, srcport, dstport, protocol
)
SELECT srcaddr, sum(flows) AS flows, sum(bytes) AS bytes
FROM once
GROUP BY srcaddr
ORDER BY bytes DESC, srcaddr
LIMIT $limit
