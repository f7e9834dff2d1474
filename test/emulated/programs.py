"""Programs built for x86-64-v4, on the emulated CPU, compute what those built for x86-64-v3 compute on this one.

    programs.py BUILD WORK

Each trains the same few steps, predicts one image and four with the weights that the native program ended with, and is
stopped and resumed. Both runs see the same bits: initial values, data, order, augmentation and dropout are functions of
the seed. They round differently, as sums are cut by the width of a vector. The first step's loss may be 1e-6 off,
relatively, and logits 1e-5 of the largest. Of later losses we ask less: a ReLU whose argument rounds to the other side
of zero turns a path's gradient on or off, which the steps after it magnify. How much is no matter of AVX-512:
`resnet20` built for x86-64-v3, fast beside strict, at 16 seeds, has half of them within 2e-7 in all four steps, and the
others up to 5e-6, 5e-5 and 4e-4 apart in steps two to four. We allow some six times that.
"""

import csv
import pathlib
import random
import shutil
import struct
import subprocess
import sys

import emulate

STEPS = 4
LOSSES = [1e-6, 3e-5, 3e-4, 3e-3]  # of each step; the last, for evaluations too
LOGITS = 1e-5
SOURCE = pathlib.Path(__file__).resolve().parents[2]
# name: file, edge of an image, options of `resin build`
PROGRAMS = {
    "resnet20-fast": ("models/resnet20.resin", 32, []),
    "resnet20-strict": ("models/resnet20.resin", 32, ["--set=train.numerics=strict"]),
    "forms-fast": ("test/emulated/forms.resin", 64, []),
    "forms-strict": ("test/emulated/forms.resin", 64, ["--set=train.numerics=strict"]),
    "odd": ("test/codegen/Inputs/odd.resin", 32, []),
    "dropout": ("test/codegen/Inputs/dropout.resin", 32, []),
    "three_conv": ("models/keras_three_conv.resin", 32, []),
}

# What both machines run; %d is a folder of the program's own, for its results.
TRAIN = "train --data synthetic --limit 4 --epochs {steps} --seed 1 --lr 0.01 --threads 1 --out {out}/run"


def write_images(path, count, edge):
    numbers = random.Random(count)
    shape = (count, 3, edge, edge)
    header = str({"descr": "<f4", "fortran_order": False, "shape": shape}).encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    values = [numbers.uniform(0, 1) for _ in range(count * 3 * edge * edge)]
    path.write_bytes(
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{len(values)}f", *values)
    )


def read_logits(path):
    data = path.read_bytes()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    return struct.unpack(f"<{(len(data) - start) // 4}f", data[start:])


def read_losses(path):
    with open(path, newline="") as file:
        return [(float(row["train_loss"]), float(row["eval_loss"])) for row in csv.DictReader(file)]


def prepare(build, work):
    """Builds both programs of each network and runs the native one; leaves the folder for the emulator."""
    folder = work / "programs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    script = ["failed=0", "check() { echo \"  $*\"; \"$@\" >/dev/null 2>/tmp/log || { cat /tmp/log; failed=1; }; }"]
    for name, (model, edge, options) in PROGRAMS.items():
        native, out = work / f"{name}.v3", work / f"{name}.native"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        for target, program in (("x86-64-v3", native), ("x86-64-v4", folder / name)):
            subprocess.run(
                [
                    build / "bin/resin",
                    "build",
                    SOURCE / model,
                    "--batch=4",
                    "--predict-batch=1,4",
                    "--no-tuning",
                    f"--target={target}",
                    "-o",
                    program,
                    *options,
                ],
                check=True,
                stderr=subprocess.DEVNULL,
            )
        quiet = dict(check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run([native, *TRAIN.format(steps=STEPS, out=out).split()], **quiet)
        weights = folder / f"{name}.safetensors"
        shutil.copy(out / "run/last.safetensors", weights)
        script += [
            f"echo {name}; mkdir -p /out/{name}",
            f"check ./{name} {TRAIN.format(steps=STEPS, out='/tmp/' + name)}",
        ]
        for count in (1, 4):
            images = folder / f"{name}.{count}.npy"
            write_images(images, count, edge)
            subprocess.run(
                [native, "predict", "--raw", "--weights", weights, "--input", images, "--output", out / f"{count}.npy"],
                **quiet,
            )
            script.append(
                f"check ./{name} predict --raw --weights {name}.safetensors --input {images.name} "
                f"--output /out/{name}/{count}.npy"
            )
        stopped = TRAIN.format(steps=STEPS, out="/tmp/part").replace("/run", "")
        script += [f"check ./{name} {stopped} --steps {STEPS // 2}", f"check ./{name} {stopped} --resume",
                   f"check cmp /tmp/{name}/run/last.safetensors /tmp/part/last.safetensors",
                   f"cp /tmp/{name}/run/metrics.csv /out/{name}; rm -rf /tmp/part /tmp/{name}"]
    (folder / "run").write_text("\n".join(script + ["exit $failed"]) + "\n")
    return folder


def compare(work):
    """Prints the greatest differences of each program; whether all are small enough."""
    good = True
    print(f"{'':16} step: " + "".join(f"{step:9d}" for step in range(1, STEPS + 1)) + "  evaluated  1 image  4 images")
    for name in PROGRAMS:
        here, there = work / f"{name}.native", work / "programs.out" / name
        ours, theirs = read_losses(here / "run/metrics.csv"), read_losses(there / "metrics.csv")
        steps = [abs(a - b) / abs(a) for (a, _), (b, _) in zip(ours, theirs)]
        evaluated = max(abs(a - b) / abs(a) for (_, a), (_, b) in zip(ours, theirs))
        logits = []
        for count in (1, 4):
            a, b = read_logits(here / f"{count}.npy"), read_logits(there / f"{count}.npy")
            logits.append(max(abs(x - y) for x, y in zip(a, b, strict=True)) / max(map(abs, a)))
        fine = len(ours) == len(theirs) == STEPS and max(logits) < LOGITS and evaluated < LOSSES[-1] and all(
            error < most for error, most in zip(steps, LOSSES))
        print(f"{name:16} loss: " + "".join(f"{error:9.1e}" for error in steps) + f"  {evaluated:9.1e} " +
              " ".join(f"{error:8.1e}" for error in logits) + ("" if fine else "  TOO MUCH"))
        good &= fine
    return good


def main():
    build, work = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    folder = prepare(build, work)
    status = emulate.emulate(folder, work)
    if status == emulate.NEVER_RAN:
        return status
    return 0 if compare(work) and status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
