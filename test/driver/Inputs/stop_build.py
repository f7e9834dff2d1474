"""stop_build.py SIGNAL FOLDER COMMAND...: sends the command a signal again and again, each time a little later, and
fails unless each time it dies of that signal, leaves nothing in FOLDER/tmp and FOLDER/out, and no process of its
session. Ends when the command is done before the signal comes.

TMPDIR is FOLDER/tmp, and the cache FOLDER/cache, which is emptied each time."""

import os
import shutil
import signal
import subprocess
import sys
import time


def processes_of(session):
    """Those alive, by what they run."""
    alive = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as file:
                stat = file.read()
            name, rest = stat[stat.index("(") : stat.rindex(")")], stat[stat.rindex(")") + 2 :].split()
            if int(rest[3]) == session and rest[0] != "Z":
                alive.append(name)
        except (OSError, ValueError):
            continue
    return alive


def empty(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)


which, folder, command = getattr(signal, sys.argv[1]), sys.argv[2], sys.argv[3:]
tmp, out, cache = (os.path.join(folder, name) for name in ("tmp", "out", "cache"))
environment = dict(os.environ, TMPDIR=tmp, RESIN_CACHE=cache)
stopped, delay = 0, 0.05
while True:
    for each in (tmp, out, cache):
        empty(each)
    started = subprocess.Popen(  # in the background of a shell SIGINT is ignored
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(which, signal.SIG_DFL),
    )
    time.sleep(delay)
    started.send_signal(which)
    code = started.wait()
    if code == 0:
        break
    if code != -which:
        sys.exit(f"after {delay:.2f} s: ended with {code}, not {-which}")
    stopped += 1
    left = os.listdir(tmp) + os.listdir(out)
    if left:
        sys.exit(f"after {delay:.2f} s: left {left}")
    for _ in range(100):  # the kernel may take a moment to end them
        if not (alive := processes_of(started.pid)):
            break
        time.sleep(0.02)
    else:
        sys.exit(f"after {delay:.2f} s: still runs {alive}")
    delay *= 1.7
print(f"stopped {stopped} times")
