"""kill_and_resume.py FOLDER PROGRAM ARGUMENTS...: kills a training run without warning once an epoch is behind it,
resumes it, and waits for its end."""

import pathlib
import shutil
import subprocess
import sys
import time

folder, program, arguments = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
shutil.rmtree(folder, ignore_errors=True)
run = subprocess.Popen([program, "train", "--out", folder, *arguments])
deadline, metrics = time.monotonic() + 300, folder / "metrics.csv"
while not metrics.exists() or metrics.read_text().count("\n") < 2:
    if run.poll() is not None or time.monotonic() > deadline:
        sys.exit(f"the run ended ({run.poll()}) or hung before it could be killed")
    time.sleep(0.01)
time.sleep(0.2)  # into the next epoch
run.kill()
print("killed:", run.wait())
sys.exit(subprocess.run([program, "train", "--out", folder, "--resume", *arguments]).returncode)
