"""What the scripts of all peers share: a task comes in, measurements go out, both as JSON lines.

The first line of standard input is the task: how many threads to use, the log to read, the query.
Every further line asks for one run, which is answered by one line: seconds and CPU seconds, the
peak of memory during the run, and the answer. What goes wrong is answered as {"error": ...}.

The peak is that of the whole process: interpreter, libraries, and what earlier runs left behind.
It is reset before each run.
"""

import decimal
import json
import os
import resource
import sys
import time


def serve(version, prepare):
    """Answers until standard input ends.

    `prepare` takes the task and gives a function that runs the query from its text to the last row
    and gives (names of columns, rows).
    """
    # What a library prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    run = None
    for line in sys.stdin:
        try:
            if run is None:
                run = prepare(json.loads(line))
                answer = {"version": version}
            else:
                answer = measured(run)
        except BaseException as error:  # Polars' panics are not exceptions.
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer, default=plain) + "\n")
        answers.flush()


def measured(run):
    reset_peak()
    cpu, start = cpu_seconds(), time.perf_counter()
    columns, rows = run()
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds() - cpu,
        "peak_bytes": peak_bytes(),
        "columns": columns,
        "rows": rows,
    }


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def reset_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def peak_bytes():
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def plain(value):
    """A value that JSON does not know."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def tree(members):
    """Paths such as `userIdentity.arn` as nested dictionaries, with None for a text."""
    root = {}
    for path in members:
        *parents, leaf = path.split(".")
        node = root
        for name in parents:
            node = node.setdefault(name, {})
        node[leaf] = None
    return root
