"""at_once.py N COMMAND...: runs the command N times at once, and fails if one of them does."""

import subprocess
import sys

started = [subprocess.Popen(sys.argv[2:]) for _ in range(int(sys.argv[1]))]
sys.exit(max(command.wait() for command in started))
