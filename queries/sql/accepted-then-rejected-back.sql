-- title = "Accepted, then rejected on the way back"
-- question = "Which connections are let in and their replies turned away?"
-- tables = ["vpc_flow_logs"]
-- answer = "One row for each client and service, most conversations first. Security groups remember connections and let replies through; network ACLs do not, so this is nearly always a network ACL without a rule for the ephemeral ports of the replies."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
WITH flows AS (
    SELECT
        interface_id, action, srcaddr, dstaddr, srcport, dstport, protocol,
        count(*) AS flows,
        min(event_time) AS first,
        max(event_time) AS last
    FROM vpc_flow_logs
    GROUP BY interface_id, action, srcaddr, dstaddr, srcport, dstport, protocol
)
SELECT
    there.interface_id,
    there.srcaddr AS client,
    there.dstaddr AS service,
    there.protocol,
    there.dstport AS port,
    count(*) AS conversations,
    sum(back.flows) AS rejected_replies,
    max(back.last) AS last
FROM flows AS there
JOIN flows AS back
    ON back.interface_id = there.interface_id
    AND back.srcaddr = there.dstaddr
    AND back.dstaddr = there.srcaddr
    AND back.srcport = there.dstport
    AND back.dstport = there.srcport
    AND back.protocol = there.protocol
WHERE there.action = 'ACCEPT' AND back.action = 'REJECT' AND back.last >= there.first
GROUP BY 1, 2, 3, 4, 5
ORDER BY conversations DESC, client, service, port
LIMIT $limit
