-- title = "Skipped data"
-- question = "Which interfaces have windows that the flow log did not record?"
-- tables = ["vpc_flow_logs"]
-- answer = "One row for each interface with records that say SKIPDATA (AWS could not keep up: flows are missing) or NODATA (there was no traffic), most skipped first."
SELECT
    interface_id,
    count(*) FILTER (WHERE log_status = 'SKIPDATA') AS skipped,
    count(*) FILTER (WHERE log_status = 'NODATA') AS without_traffic,
    min(event_time) FILTER (WHERE log_status = 'SKIPDATA') AS first_skipped,
    max(event_time) FILTER (WHERE log_status = 'SKIPDATA') AS last_skipped
FROM vpc_flow_logs
WHERE log_status IN ('SKIPDATA', 'NODATA')
GROUP BY interface_id
ORDER BY skipped DESC, without_traffic DESC, interface_id
