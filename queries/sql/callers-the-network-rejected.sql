-- title = "Callers that the network rejected"
-- question = "Which addresses call AWS APIs and were also turned away by a network?"
-- tables = ["cloudtrail_logs", "vpc_flow_logs"]
-- answer = "One row for each address that is in both: API calls from it, and flows from it that were rejected. Who scans networks and has credentials is worth a look."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
WITH rejected AS (
    SELECT srcaddr, count(*) AS flows, count(DISTINCT dstaddr) AS hosts, count(DISTINCT dstport) AS ports
    FROM vpc_flow_logs
    WHERE action = 'REJECT'
    GROUP BY srcaddr
),
callers AS (
    SELECT
        sourceipaddress,
        count(*) AS calls,
        count(errorcode) AS errors,
        array_to_string(array_sort(array_agg(DISTINCT useridentity.arn)), ' ') AS who
    FROM cloudtrail_logs
    GROUP BY sourceipaddress
)
SELECT
    rejected.srcaddr AS address,
    callers.calls,
    callers.errors,
    callers.who,
    rejected.flows AS rejected_flows,
    rejected.hosts,
    rejected.ports
FROM callers
JOIN rejected ON rejected.srcaddr = callers.sourceipaddress
ORDER BY calls DESC, address
LIMIT $limit
