"""hang_up.py COMMAND...: sends the command SIGHUP all the time, and ends as it does."""

import signal
import subprocess
import sys
import time

command = subprocess.Popen(sys.argv[1:])
while command.poll() is None:
    command.send_signal(signal.SIGHUP)
    time.sleep(0.05)
sys.exit(command.returncode)
