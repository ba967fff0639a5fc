-- title = "Packets lost at a transit gateway"
-- question = "Between which VPCs does a transit gateway lose packets, and why?"
-- tables = ["tgw_flow_logs"]
-- answer = "One row for each pair of VPCs with lost packets, most first. A side outside of AWS has no VPC."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    tgw_id,
    tgw_src_vpc_id,
    tgw_dst_vpc_id,
    sum(packets_lost_no_route) AS no_route,
    sum(packets_lost_blackhole) AS blackhole,
    sum(packets_lost_mtu_exceeded) AS mtu_exceeded,
    sum(packets_lost_ttl_expired) AS ttl_expired
FROM tgw_flow_logs
WHERE packets_lost_no_route + packets_lost_blackhole + packets_lost_mtu_exceeded + packets_lost_ttl_expired > 0
GROUP BY 1, 2, 3
ORDER BY no_route + blackhole + mtu_exceeded + ttl_expired DESC, tgw_id, tgw_src_vpc_id, tgw_dst_vpc_id
LIMIT $limit
