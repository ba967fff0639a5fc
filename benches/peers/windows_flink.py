"""Flink SQL over windows, as a stream: a window table function over the flow log as it is read.

The clock runs from the submission of the job to its answer; the start of the JVM is not counted.
Prints one JSON object: seconds, the peak of resident memory, and the sums that must agree with those
of loglens.
"""

import json
import os
import pathlib
import sys
import time

from pyflink.table import EnvironmentSettings, TableEnvironment

path, threads, slide, size, distinct = pathlib.Path(sys.argv[1]).resolve(), *map(int, sys.argv[2:6])
environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
for key, value in {
    "parallelism.default": str(threads),
    "table.local-time-zone": "UTC",
    # The last sum goes through all windows; without this it gives a row for each of them.
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "5 s",
    "table.exec.mini-batch.size": "50000",
    # Room for its tasks: its default of some hundred megabytes is too little for the distinct counts.
    "taskmanager.memory.process.size": "5g",
}.items():
    environment.get_config().set(key, value)
columns = (
    "version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start_s"
    " end_s action log_status"
).split()
numbers = {"bytes", "start_s"}
declared = ", ".join(f"`{name}` {'BIGINT' if name in numbers else 'STRING'}" for name in columns)
environment.execute_sql(f"""
CREATE TABLE flows ({declared},
  event_time AS TO_TIMESTAMP_LTZ(COALESCE(start_s, 0) * 1000, 3),
  WATERMARK FOR event_time AS event_time - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{path.as_uri()}', 'format' = 'csv',
  'csv.field-delimiter' = ' ', 'csv.ignore-parse-errors' = 'true')""")
count = "count(DISTINCT dstaddr)" if distinct else "CAST(0 AS BIGINT)"
# The header is a row to it.
query = f"""
SELECT count(*), sum(n), sum(b), sum(d) FROM (
  SELECT window_end, srcaddr, count(*) AS n, sum(`bytes`) AS b, {count} AS d
  FROM TABLE(HOP(TABLE flows, DESCRIPTOR(event_time), INTERVAL '{slide}' SECOND(4), INTERVAL '{size}' SECOND(4)))
  WHERE srcaddr <> 'srcaddr'
  GROUP BY window_start, window_end, srcaddr)"""
begun = time.monotonic()
with environment.execute_sql(query).collect() as rows:
    for row in rows:
        last = row
seconds = time.monotonic() - begun


def peak(process):
    lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def parent(process):
    try:
        return int(pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


processes = [process for process in os.listdir("/proc") if process.isdigit()]
ours = [process for process in processes if parent(process) == os.getpid()]
print(
    json.dumps(
        {
            "seconds": seconds,
            "peak_bytes": max(map(peak, ours), default=0),
            "sums": [int(value) for value in last],
        }
    )
)
