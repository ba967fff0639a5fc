-- title = "Port scanners"
-- question = "Which sources tried many ports of one host?"
-- tables = ["vpc_flow_logs"]
-- answer = "One row for each source and host with at least `ports` destination ports tried. A try is a flow that was rejected, or that begins a TCP connection (a SYN without an answer's ACK), which needs the field tcp-flags (version 3). Where replies are rejected, servers look like scanners: see accepted-then-rejected-back."
-- [parameters]
-- ports = { type = "integer", default = 20, doc = "ports that make a scanner" }
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    srcaddr,
    dstaddr,
    count(DISTINCT dstport) AS ports,
    count(*) AS flows,
    count(*) FILTER (WHERE action = 'REJECT') AS rejected,
    min(event_time) AS first,
    max(event_time) AS last
FROM vpc_flow_logs
WHERE action = 'REJECT' OR (tcp_flags & 18) = 2
GROUP BY srcaddr, dstaddr
HAVING count(DISTINCT dstport) >= $ports
ORDER BY ports DESC, srcaddr, dstaddr
LIMIT $limit
