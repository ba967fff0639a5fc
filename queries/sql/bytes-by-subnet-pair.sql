-- title = "Bytes by subnet pair"
-- question = "Between which networks does the traffic flow?"
-- tables = ["vpc_flow_logs"]
-- answer = "One row for each pair of IPv4 networks of the chosen size and each direction, most bytes first. IPv6 is left out."
-- [parameters]
-- prefix = { type = "integer", default = 24, doc = "bits of a network: 8, 16, 24 or 32" }
-- limit = { type = "integer", default = 10, doc = "rows at most" }
WITH flows AS (
    SELECT
        string_to_array(srcaddr, '.') AS source,
        string_to_array(dstaddr, '.') AS destination,
        bytes
    FROM vpc_flow_logs
    WHERE srcaddr NOT LIKE '%:%' AND dstaddr NOT LIKE '%:%'
),
networks AS (
    SELECT
        array_to_string(array_slice(source, 1, $prefix / 8), '.') AS source,
        array_to_string(array_slice(destination, 1, $prefix / 8), '.') AS destination,
        repeat('.0', 4 - $prefix / 8) || '/' || $prefix AS rest,
        bytes
    FROM flows
)
SELECT
    source || rest AS source,
    destination || rest AS destination,
    count(*) AS flows,
    sum(bytes) AS bytes
FROM networks
GROUP BY 1, 2
ORDER BY bytes DESC, source, destination
LIMIT $limit
