#!/usr/bin/env python3
"""any_size.py MODELS FOLDER RESIN BUILD...: plans each of the models for images of several sizes."""

import pathlib
import re
import subprocess
import sys

SIZES = ["33, 33", "31, 64", "17, 300", "225, 225"]


def main():
    models, folder, *build = sys.argv[1:]
    planned = refused = 0
    for model in sorted(pathlib.Path(models).glob("*.resin")):
        for size in SIZES:
            text, found = re.subn(r"\(image: \[3, \d+, \d+\]\)", f"(image: [3, {size}])", model.read_text())
            assert found == 1, model
            file = pathlib.Path(folder) / model.name
            file.write_text(text)
            run = subprocess.run(
                [
                    *build,
                    file,
                    "--set",
                    "train.data=synthetic",
                    "--batch",
                    "2",
                    "--predict-batch",
                    "1",
                    "--emit=planned",
                    "-o",
                    "/dev/null",
                ],
                capture_output=True,
                text=True,
            )
            planned += run.returncode == 0
            refused += run.returncode != 0
            if run.returncode:
                print(f"{model.name} on [3, {size}]:\n{run.stderr}")
    print(f"{planned} programs planned, {refused} refused")


if __name__ == "__main__":
    main()
