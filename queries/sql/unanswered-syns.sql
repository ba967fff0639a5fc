-- title = "Unanswered SYNs"
-- question = "Who knocks where nobody answers?"
-- tables = ["vpc_flow_logs"]
-- answer = "One row for each client and service that was let through but never sent a SYN-ACK: nothing listens there, the host is down, or the way back is closed. Needs the field tcp-flags (version 3)."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    syn.srcaddr AS client,
    syn.dstaddr AS service,
    syn.dstport AS port,
    count(DISTINCT syn.srcport) AS connections,
    min(syn.event_time) AS first,
    max(syn.event_time) AS last
FROM vpc_flow_logs AS syn
WHERE syn.tcp_flags = 2
    AND syn.action = 'ACCEPT'
    AND NOT EXISTS (
        SELECT 1
        FROM vpc_flow_logs AS answer
        WHERE (answer.tcp_flags & 18) = 18
            AND answer.srcaddr = syn.dstaddr
            AND answer.dstaddr = syn.srcaddr
            AND answer.srcport = syn.dstport
            AND answer.dstport = syn.srcport
    )
GROUP BY 1, 2, 3
ORDER BY connections DESC, client, service, port
LIMIT $limit
