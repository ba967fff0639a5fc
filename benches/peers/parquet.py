"""Writes a log of lines as Parquet, by DuckDB: the task on standard input, the file as argument."""

import json
import sys

import duckdb
from duckdb_peer import table

task = json.load(sys.stdin)
duckdb.execute(f"COPY (FROM {table('duckdb', task['log'])}) TO '{sys.argv[1]}' (FORMAT parquet, COMPRESSION zstd)")
