"""ClickHouse, as the library chdb.

Its CSV does not know backslashes within quotes, so logs with quotes are read as lines, which the
query splits at blanks: all that it reads stands before the first field that holds any.
"""

import json

import chdb
from runner import serve, tree

TYPES = {"int": "Int64", "float": "Float64", "text": "String"}


def prepare(task):
    connection = chdb.connect(":memory:")
    log = task["log"]
    query = task["query"].replace("{t}", table(log)) + settings(task["threads"], log)

    def run():
        answer = json.loads(connection.query(query, "JSONCompact").data())
        return [column["name"] for column in answer["meta"]], answer["data"]

    return run


def table(log):
    files = log["glob"]
    if log["kind"] == "parquet":
        return f"file('{files}', 'Parquet')"
    if log["kind"] == "json":
        structure = f"Records Array({json_type(tree(log['members']))})"
        return f"(SELECT arrayJoin(Records) AS r FROM file('{files}', 'JSONEachRow', '{structure}'))"
    if log["quote"]:
        return f"file('{files}', 'LineAsString')"
    structure = ", ".join(f"`{name}` Nullable({TYPES[kind]})" for name, kind in log["fields"])
    return f"file('{files}', 'CSV', '{structure}')"


def json_type(node):
    if node is None:
        return "Nullable(String)"
    return "Tuple(" + ", ".join(f"`{name}` {json_type(child)}" for name, child in node.items()) + ")"


def settings(threads, log):
    settings = {
        "max_threads": threads,
        "output_format_json_quote_64bit_integers": 0,
        # Otherwise the second count of a file is remembered, not made.
        "use_cache_for_count_from_files": 0,
    }
    if log["kind"] == "lines":
        settings |= {
            "format_csv_delimiter": log["separator"],
            "format_csv_null_representation": "-",
            "input_format_csv_allow_whitespace_or_tab_as_delimiter": 1,
            "input_format_csv_skip_first_lines": 1 if log["header"] else 0,
        }
    if log["kind"] == "json":
        settings |= {"input_format_json_ignore_unknown_keys_in_named_tuple": 1}
    return " SETTINGS " + ", ".join(
        f"{name} = {value!r}" for name, value in settings.items()
    )


if __name__ == "__main__":
    serve(chdb.engine_version, prepare)
