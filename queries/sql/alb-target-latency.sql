-- title = "ALB: target latency"
-- question = "Which targets are slower than the others of their group?"
-- tables = ["alb_access_logs"]
-- answer = "One row for each target and target group, with the times to the headers of its responses in seconds. Percentiles are close estimates; requests without an answer are in unanswered only."
SELECT
    split_part(target_group_arn, '/', 2) AS target_group,
    target_ip,
    target_port,
    count(*) FILTER (WHERE target_processing_time >= 0) AS answered,
    count(*) FILTER (WHERE target_processing_time < 0) AS unanswered,
    approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY target_processing_time)
        FILTER (WHERE target_processing_time >= 0) AS p50,
    approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY target_processing_time)
        FILTER (WHERE target_processing_time >= 0) AS p95,
    max(target_processing_time) FILTER (WHERE target_processing_time >= 0) AS slowest
FROM alb_access_logs
WHERE target_ip IS NOT NULL
GROUP BY 1, 2, 3
ORDER BY target_group, p95 DESC, target_ip, target_port
