#!/usr/bin/env python3
"""Random networks: what `resin check` accepts builds, trains two steps, and computes what the interpreter says.

    run.py BUILD [--seconds S | --count N] [--first SEED] [--kind small|wide] [--keep DIR]

Networks are numbered: `--first 17 --count 1` repeats number 17. `small` ones are held against the interpreter in f64,
layer norms of the gradient included; `wide` ones must build, train and predict. A failure prints the number, what went
wrong, and leaves the network in DIR. The last line is "N networks, N rejected, N wrong".
"""

import argparse
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from nets import Net

# Of losses, logits and norms of gradients, beside the greater of themselves and a hundredth of the largest of their
# kind. Chosen, not derived: a ReLU whose argument rounds to the other side of zero moves a gradient.
TOLERANCE = 5e-3
# What cancels is noise: so often what the interpreter's own rounding to f32 changes is allowed besides. A program
# rounds each term of a sum, the interpreter each sum. Chosen as well.
ROUNDINGS = 50
LIMIT = 600  # seconds of one command


class Wrong(Exception):
    """What a network did that it should not."""


def run(command, folder, allowed=(0,)):
    environment = dict(os.environ, TMPDIR=str(folder))
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=LIMIT, env=environment
        )
    except subprocess.TimeoutExpired:
        raise Wrong(f"{' '.join(map(str, command))}: not done after {LIMIT} s") from None
    if done.returncode not in allowed:
        raise Wrong(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return done


def difference(ours, exact, rounded):
    """The greatest difference of two lists, 1 being the most that is allowed; numbers that are not finite differ from
    any."""
    if len(ours) != len(exact) or not all(map(math.isfinite, ours)):
        return math.inf
    least = max(map(abs, exact), default=0) / 100
    allowed = [TOLERANCE * max(abs(b), least, 1e-30) + ROUNDINGS * abs(c - b) for b, c in zip(exact, rounded)]
    return max((abs(a - b) / most for a, b, most in zip(ours, exact, allowed)), default=0)


def compare(build, folder):
    """The program's outputs with the interpreter's: losses and norms of the gradient are lists of their own."""
    run([build / "bin/resin", "build", "net.resin", "--predict-batch=1,3", "--emit=train", "-o", "net.mlir"], folder)
    theirs = json.loads(run([build / "bin/expect-outputs", "net.mlir"], folder).stdout)
    ours = json.loads(run(["./net", "bench", "--json", "--seconds", "0.01"], folder).stdout)
    batch = ours["train_batch"]
    for name, exact in theirs["f64"].items():
        made, rounded = ours["outputs"][name], theirs["f32"][name]
        losses = batch if name == "train_step" else len(exact)
        for what, part in (("losses or logits", slice(0, losses)), ("norms of gradients", slice(losses, None))):
            if (far := difference(made[part], exact[part], rounded[part])) > 1:
                raise Wrong(
                    f"{name}: {what} differ {far:.1f} times what they may: {made[part]}\n"
                    f"  the interpreter says {exact[part]}"
                )


def check(build, folder, kind):
    """Whether the network was accepted; raises Wrong."""
    checked = run([build / "bin/resin", "check", "net.resin"], folder, (0, 65))
    if checked.returncode:
        if not re.search(r"^net\.resin:\d+:\d+: error: ", checked.stderr, re.M):
            raise Wrong(f"rejected without a place: {checked.stderr}")
        return False
    run([build / "bin/resin", "build", "net.resin", "--predict-batch=1,3", "-o", "net"], folder)
    run(
        ["./net", "train", "--data", "synthetic", "--limit", "14", "--epochs", "2", "--steps", "2", "--out", "run"],
        folder,
    )
    if kind == "small":
        compare(build, folder)
    else:
        run(["./net", "bench", "--json", "--seconds", "0.01"], folder)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--count", type=int)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--kind", choices=["small", "wide"], default="small")
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    build, start, number = options.build.resolve(), time.monotonic(), options.first
    if options.count is None and math.isinf(options.seconds):
        options.count = 10
    accepted = rejected = wrong = 0
    while time.monotonic() - start < options.seconds and number - options.first != options.count:
        text = Net(number, options.kind).text()
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "net.resin").write_text(text)
            try:
                good = check(build, folder, options.kind)
                accepted, rejected = accepted + good, rejected + (not good)
            except Wrong as problem:
                wrong += 1
                print(f"{options.kind} {number}: {problem}", flush=True)
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / f"{options.kind}{number}.resin").write_text(text)
        number += 1
    print(f"{accepted + rejected + wrong} networks, {rejected} rejected, {wrong} wrong")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
