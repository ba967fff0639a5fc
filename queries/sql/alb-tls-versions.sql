-- title = "ALB: TLS versions"
-- question = "Which TLS versions and ciphers do clients use?"
-- tables = ["alb_access_logs"]
-- answer = "One row for each version and cipher, oldest version first. Requests without TLS are left out. Who would be cut off without TLS 1.0 and 1.1 is in clients."
SELECT
    ssl_protocol,
    ssl_cipher,
    count(*) AS requests,
    count(DISTINCT client_ip) AS clients
FROM alb_access_logs
WHERE ssl_protocol IS NOT NULL
GROUP BY ssl_protocol, ssl_cipher
ORDER BY ssl_protocol, requests DESC, ssl_cipher
