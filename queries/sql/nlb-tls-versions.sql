-- title = "Network Load Balancer: TLS versions"
-- question = "Which TLS versions and ciphers do clients use, and how many handshakes fail?"
-- tables = ["nlb_access_logs"]
-- answer = "One row for each version and cipher, oldest version first. Failed handshakes have neither and come last."
SELECT
    tls_protocol_version,
    tls_cipher_suite,
    count(*) AS connections,
    count(DISTINCT client_ip) AS clients,
    count(incoming_tls_alert) AS client_alerts
FROM nlb_access_logs
GROUP BY tls_protocol_version, tls_cipher_suite
ORDER BY tls_protocol_version, connections DESC, tls_cipher_suite
