"""Runs a command in a terminal of its own and talks to it.

    terminal.py ROWS COLUMNS COMMAND... < DIALOGUE

Each line of the dialogue is a step, with the escapes of a Python string:

    expect TEXT    wait until TEXT appears after what was found last; colours do not count
    send TEXT      type TEXT
    pause SECONDS  wait

When the dialogue is over, the command must end by itself. What the terminal showed goes to
standard output without its escape sequences. Exit code: that of the command, or 99 if a step
failed or took too long.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

DEADLINE = 60
ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[=>])")


class Terminal:
    def __init__(self, rows, columns, command):
        self.shown = ""
        self.found = 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            size = struct.pack("HHHH", rows, columns, 0, 0)
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            os.execvp(command[0], command)

    def read(self, seconds):
        """Takes what is shown within a time; False once the terminal is closed."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            new = os.read(self.fd, 65536)
        except OSError:
            new = b""
        self.shown += new.decode("utf-8", "replace")
        return bool(new)

    def text(self):
        return re.sub("[\r\a]", "", ESCAPES.sub("", self.shown))

    def expect(self, wanted):
        end = time.monotonic() + DEADLINE
        is_open = True
        while True:
            at = self.text().find(wanted, self.found)
            if at >= 0:
                self.found = at + len(wanted)
                return
            if not is_open or time.monotonic() > end:
                self.fail(f"did not find {wanted!r}")
            is_open = self.read(0.1)

    def pause(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.05)

    def wait(self):
        end = time.monotonic() + DEADLINE
        while self.read(0.1):
            if time.monotonic() > end:
                self.fail("the command did not end")
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def fail(self, message):
        print(self.text())
        print(f"{message} after {self.text()[:self.found][-60:]!r}", file=sys.stderr)
        os.kill(self.pid, signal.SIGKILL)
        sys.exit(99)


def main():
    rows, columns, *command = sys.argv[1:]
    terminal = Terminal(int(rows), int(columns), command)
    for line in sys.stdin.read().splitlines():
        step, _, text = line.partition(" ")
        text = text.encode("latin-1", "backslashreplace").decode("unicode_escape")
        if step == "expect":
            terminal.expect(text)
        elif step == "send":
            os.write(terminal.fd, text.encode())
        elif step == "pause":
            terminal.pause(float(text))
        else:
            terminal.fail(f"no step {step!r}")
    code = terminal.wait()
    print(terminal.text(), end="")
    sys.exit(code)


main()
