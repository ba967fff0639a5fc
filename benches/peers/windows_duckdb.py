"""DuckDB over windows, in batch: every row once for each window that it lies in.

The rows are in memory before the clock starts. Prints one JSON object: seconds, the peak of resident
memory, and the sums that must agree with those of loglens.
"""

import json
import resource
import sys
import time

import duckdb

path, threads, slide, size, distinct = sys.argv[1], *map(int, sys.argv[2:6])
connection = duckdb.connect(config={"threads": threads})
connection.execute("SET autoinstall_known_extensions = false; SET enable_progress_bar = false")
connection.execute("SET preserve_insertion_order = false; SET TimeZone = 'UTC'")
connection.execute(
    f"CREATE TABLE flows AS SELECT epoch_us(event_time) // 1000000 AS t, srcaddr, dstaddr, bytes FROM read_parquet('{path}')"
)
more = ", count(DISTINCT dstaddr) AS d" if distinct else ", 0 AS d"
query = f"""
SELECT count(*), sum(n), sum(b), sum(d) FROM (
  SELECT w, srcaddr, count(*) AS n, sum(bytes) AS b{more} FROM (
    SELECT t // {slide} * {slide} - o * {slide} AS w, srcaddr, dstaddr, bytes
    FROM flows, range({size // slide}) AS g(o))
  GROUP BY w, srcaddr)"""
begun = time.monotonic()
groups, flows, octets, targets = connection.execute(query).fetchone()
seconds = time.monotonic() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
sums = [int(groups), int(flows), int(octets), int(targets)]
print(json.dumps({"seconds": seconds, "peak_bytes": peak, "sums": sums}))
