"""interrupt_at.py PATTERN CODE COMMAND...: sends the command one SIGINT as soon as a line it says holds the regular
expression, passes on what it says, and fails unless it ends with CODE.

`timeout -s INT` will not do: it signals the command and then its process group, and a second interrupt kills."""

import re
import signal
import subprocess
import sys

pattern, code = re.compile(sys.argv[1]), int(sys.argv[2])
command = subprocess.Popen(
    sys.argv[3:],
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
)  # in the background of a shell it is ignored
interrupted = False
for line in command.stdout:
    print(line, end="")
    if not interrupted and pattern.search(line):
        command.send_signal(signal.SIGINT)
        interrupted = True
status = command.wait()
if not interrupted:
    sys.exit(f"no line held '{sys.argv[1]}'")
if status != code:
    sys.exit(f"expected exit code {code}, got {status}")
