"""Polars. The query is an expression over the lazy frame `t`.

Its CSV does not know backslashes within quotes, so logs with quotes are split at every blank: all
that is read stands before or in the request, whose method and URL hold none.

The engine, streaming or in memory, is the one that was faster when both were tried before.
"""

import importlib.metadata
import os
import time

from runner import serve, tree


def prepare(task):
    # Polars reads this when it is loaded.
    os.environ["POLARS_MAX_THREADS"] = str(task["threads"])
    import polars as pl

    log = task["log"]

    def collect(engine):
        frame = eval(f"({task['query']})", {"pl": pl, "t": table(pl, log)}).collect(engine=engine)
        return frame.columns, frame.rows()

    best = min(["streaming", "in-memory"], key=lambda engine: seconds(collect, engine))
    return lambda: collect(best)


def seconds(collect, engine):
    """How long an engine takes the second time; it does not take part if it fails."""
    try:
        collect(engine)
        start = time.perf_counter()
        collect(engine)
        return time.perf_counter() - start
    except Exception:
        return float("inf")


def table(pl, log):
    if log["kind"] == "parquet":
        return pl.scan_parquet(log["files"])
    if log["kind"] == "json":
        schema = {"Records": pl.List(json_type(pl, tree(log["members"])))}
        frame = pl.scan_ndjson(log["files"], schema=schema)
        return frame.select(pl.col("Records").explode().alias("r"))
    fields, ragged = log["fields"], {}
    if log["quote"]:
        ragged = {"truncate_ragged_lines": True, "extra_columns": "ignore"}
        before = [name for name, _ in fields].index("request")
        fields = fields[:before] + [["verb", "text"], ["url", "text"]]
    types = {"int": pl.Int64, "float": pl.Float64, "text": pl.String}
    return pl.scan_csv(
        log["files"],
        separator=log["separator"],
        quote_char=None,
        has_header=log["header"],
        schema={name: types[kind] for name, kind in fields},
        null_values="-",
        glob=False,
        **ragged,
    )


def json_type(pl, node):
    if node is None:
        return pl.String
    return pl.Struct({name: json_type(pl, child) for name, child in node.items()})


if __name__ == "__main__":
    serve(importlib.metadata.version("polars"), prepare)
