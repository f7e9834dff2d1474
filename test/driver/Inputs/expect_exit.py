"""expect_exit.py CODE COMMAND...: runs the command, passes on what it says, and fails unless it ends with CODE."""

import subprocess
import sys

status = subprocess.run(sys.argv[2:], stderr=subprocess.STDOUT).returncode
if status != int(sys.argv[1]):
    sys.exit(f"expected exit code {sys.argv[1]}, got {status}")
