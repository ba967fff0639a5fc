"""DuckDB, twice for CloudTrail.

`duckdb` takes whole objects (`read_json_objects`) and reads members by their paths, which was the
fastest of all ways that were tried; `duckdb_read_json` lets `read_json` make structs of them.
"""

import duckdb
from runner import serve, tree

TYPES = {"int": "BIGINT", "float": "DOUBLE", "text": "VARCHAR"}


def prepare(task):
    connection = duckdb.connect(config={"threads": task["threads"]})
    # Nothing is to be loaded over the network, and nobody looks at a progress bar.
    connection.execute("SET autoinstall_known_extensions = false; SET enable_progress_bar = false")
    # Answers are sorted where their order counts, so this only gives DuckDB more freedom.
    connection.execute("SET preserve_insertion_order = false")
    query = task["query"].replace("{t}", table(task["peer"], task["log"]))

    def run():
        result = connection.execute(query)
        return [column[0] for column in result.description], result.fetchall()

    return run


def table(peer, log):
    """The log as a table function with all that DuckDB would otherwise have to sniff."""
    if log["kind"] == "parquet":
        return f"read_parquet({log['files']})"
    if log["kind"] == "json":
        # A line is a whole object, however large.
        options = f"{log['files']}, format = 'newline_delimited', maximum_object_size = {log['largest'] + 1024}"
        if peer == "duckdb":
            return f"read_json_objects({options})"
        structs = f"{json_type(tree(log['members']))}[]"
        return f"(SELECT unnest(Records) AS r FROM read_json({options}, columns = {{Records: '{structs}'}}))"
    columns = {name: TYPES[kind] for name, kind in log["fields"]}
    quote, escape = (log["quote"], "\\") if log["quote"] else ("", "")
    return (
        f"read_csv({log['files']}, auto_detect = false, columns = {columns}, header = {log['header']}, "
        f"delim = '{log['separator']}', quote = '{quote}', escape = '{escape}', nullstr = '-', new_line = '\\n')"
    )


def json_type(node):
    if node is None:
        return "VARCHAR"
    return "STRUCT(" + ", ".join(f'"{name}" {json_type(child)}' for name, child in node.items()) + ")"


if __name__ == "__main__":
    serve(duckdb.__version__, prepare)
