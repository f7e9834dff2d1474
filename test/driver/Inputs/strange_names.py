"""strange_names.py FOLDER SOURCE COMMAND... -o: in FOLDER, for strange names: builds SOURCE, under such a name, to such
a name, with a folder of that name as TMPDIR and as cache, and runs the program."""

import os
import shutil
import subprocess
import sys

folder, source, *command = sys.argv[1:]
os.chdir(folder)
for name in [
    "50% of it",
    "%%%%%%",
    "a 'b' \"c\"",
    "back\\slash",
    "line\nbreak",
    "@file",
    "-dash",
    "--set",
    "$(x)`y`",
    "ü€",
]:
    os.mkdir(name)
    shutil.copy(source, name + ".resin")
    # -o takes the next argument, whatever it looks like; a file that looks like an option stands behind "--".
    for output in [name + ".net", name + "/" + name]:
        environment = dict(os.environ, TMPDIR=name, RESIN_CACHE=name + "/cache")
        built = subprocess.run(
            [*command, output, "--", name + ".resin"], env=environment, capture_output=True, text=True
        )
        if built.returncode:
            sys.exit(f"{output!r}: {built.returncode}: {built.stderr}")
        ran = subprocess.run([os.path.abspath(output), "info"], capture_output=True, text=True)
        if ran.returncode or "least" not in ran.stdout:
            sys.exit(f"{output!r} does not run: {ran.stderr}")
    left = sorted(os.listdir(name))
    if left != sorted(["cache", name]):
        sys.exit(f"{name!r} holds {left}")
print("built and ran all")
