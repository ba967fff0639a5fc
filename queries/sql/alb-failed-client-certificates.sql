-- title = "ALB: failed client certificates"
-- question = "Which client certificates are refused, and why?"
-- tables = ["alb_connection_logs"]
-- answer = "One row for each certificate's subject and reason, most connections first. Without a subject the client sent no certificate."
-- [parameters]
-- limit = { type = "integer", default = 10, doc = "rows at most" }
SELECT
    leaf_client_cert_subject AS subject,
    split_part(tls_verify_status, ':', 2) AS reason,
    count(*) AS connections,
    count(DISTINCT client_ip) AS clients,
    min(event_time) AS first,
    max(event_time) AS last
FROM alb_connection_logs
WHERE tls_verify_status LIKE 'Failed%'
GROUP BY 1, 2
ORDER BY connections DESC, subject, reason
LIMIT $limit
