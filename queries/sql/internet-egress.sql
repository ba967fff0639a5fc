-- title = "Internet egress"
-- question = "Which of our addresses send the most to the internet?"
-- tables = ["vpc_flow_logs"]
-- answer = "One row for each private source with what it sent to public addresses and was let out, most bytes first. A NAT gateway stands there with all that it forwards. IPv6 counts where the field flow-direction says egress (version 5), since its addresses do not tell."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    srcaddr,
    count(DISTINCT dstaddr) AS destinations,
    count(*) AS flows,
    sum(bytes) AS bytes
FROM vpc_flow_logs
WHERE action = 'ACCEPT'
    AND (
        flow_direction = 'egress'
        -- 10/8, 172.16/12, 192.168/16 and the 100.64/10 of carriers
        OR srcaddr ~ '^(10|172\.(1[6-9]|2[0-9]|3[01])|192\.168|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
    )
    -- those, loopback, link-local (with the metadata service), multicast, broadcast
    AND dstaddr !~ '^(10|172\.(1[6-9]|2[0-9]|3[01])|192\.168|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|0|127|169\.254|22[4-9]|2[345][0-9])\.'
    -- and the same of IPv6
    AND dstaddr !~ '^(f[cdf][0-9a-f]{2}|fe[89ab][0-9a-f]|):'
GROUP BY srcaddr
ORDER BY bytes DESC, srcaddr
LIMIT $limit
