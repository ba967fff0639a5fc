-- title = "Traffic over time"
-- question = "How much traffic is there, step by step?"
-- tables = ["vpc_flow_logs"]
-- answer = "One row for each step of time that has flows, in order."
-- [parameters]
-- every = { type = "interval", default = "1h", doc = "length of a step" }
SELECT
    date_bin($every, event_time) AS time,
    count(*) AS flows,
    count(*) FILTER (WHERE action = 'REJECT') AS rejected,
    sum(packets) AS packets,
    sum(bytes) AS bytes
FROM vpc_flow_logs
WHERE srcaddr IS NOT NULL
GROUP BY 1
ORDER BY 1
