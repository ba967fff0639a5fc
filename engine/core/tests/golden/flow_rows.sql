-- input: vpc_flow_logs 3000
SELECT event_time, srcaddr, dstaddr, dstport, bytes FROM vpc_flow_logs WHERE action = 'REJECT' AND dstport = 22
