#!/usr/bin/env python3
"""Resin beside its peers on the same machine: training and inference, interleaved, medians, ratios.

    benchmarks/compare.py build/demo/resnet20 --model resnet20 --batch 128 [--predict-batch 1]
                          [--rounds 5] [--seconds 3] [--threads 2] [--neighbour] [--csv FILE]

The program was built by `resin build` for the same batch. Each contestant is a process of its own that waits for its
turn; a round gives every one of them the machine for a few seconds, so that slow minutes of a shared machine hit all
alike. Peers in training: PyTorch, eager and compiled, in both memory formats, with its transparent-huge-page allocator
on (the Keras programs: Keras on TensorFlow, as a graph and through XLA). In inference ONNX Runtime and OpenVINO (f32)
as well. What is printed is the median over rounds and the ratio to each peer. `--neighbour` measures every contestant
once more in each round while a process that never rests is pinned to the first core, and prints by how much that slows
it down.
"""

import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
from contextlib import contextmanager

TORCH = ["torch-eager-nchw", "torch-eager-nhwc", "torch-compiled-nchw", "torch-compiled-nhwc"]
KERAS = ["keras", "keras-xla"]
INFERENCE = ["onnxruntime", "openvino"]


class Peer:
    def __init__(self, name, model, batch, work, threads):
        self.name = name
        command = [
            sys.executable,
            str(pathlib.Path(__file__).with_name("peers.py")),
            name,
            model,
            str(batch),
            work,
            str(threads),
        ]
        environment = dict(os.environ, THP_MEM_ALLOC_ENABLE="1", OMP_NUM_THREADS=str(threads))
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        for line in self.process.stdout:
            if line.strip() == "ready":
                return
        raise RuntimeError(f"{name} did not start: {self.process.stderr.read()[-2000:]}")

    def measure(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        rate, peak = map(float, self.process.stdout.readline().split())
        return rate, peak

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Resin:
    name = "resin"

    def __init__(self, program, work, batch, threads):
        self.work, self.batch = work, batch
        self.command = [
            program,
            "bench",
            "--json",
            "--threads",
            str(threads),
            "--only",
            "train" if work == "train" else f"predict_{batch}",
        ]

    def measure(self, seconds):
        result = json.loads(
            subprocess.run(
                [*self.command, "--seconds", str(seconds)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=True,
            ).stdout
        )
        peak = result["peak_memory_bytes"] / 2**20
        if self.work == "train":
            return result["train_images_per_second"], peak
        row = next(row for row in result["predict"] if row["batch"] == self.batch)
        return row["images_per_second"], peak

    def close(self):
        pass


@contextmanager
def neighbour():
    """A process that keeps the first core busy."""
    core = min(os.sched_getaffinity(0))
    process = subprocess.Popen(
        [sys.executable, "-c", f"import os; os.sched_setaffinity(0, [{core}])\nwhile True: pass"]
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def compare(args, work, batch, peers):
    contestants = [Resin(args.program, work, batch, args.threads)] + [
        Peer(name, args.model, batch, work, args.threads) for name in peers
    ]
    rates, beside, peaks = ({c.name: [] for c in contestants} for _ in range(3))
    for _ in range(args.rounds):
        for contestant in contestants:
            rate, peak = contestant.measure(args.seconds)
            rates[contestant.name].append(rate)
            peaks[contestant.name].append(peak)
            if args.neighbour:
                with neighbour():
                    beside[contestant.name].append(contestant.measure(args.seconds)[0])
    for contestant in contestants:
        contestant.close()
    medians = {name: statistics.median(values) for name, values in rates.items()}
    best = max(peers, key=medians.get)
    print(
        f"{args.model} {work} batch {batch}, {args.threads} threads, {args.rounds} rounds of {args.seconds:g} s; "
        f"ratio of resin to each; best peer: {best}"
    )
    rows = []
    for name, median in medians.items():
        ratio, slower = medians["resin"] / median, median / statistics.median(beside[name]) if args.neighbour else None
        print(
            f"  {name:20} {median:9.1f} img/s  (min {min(rates[name]):.1f}, max {max(rates[name]):.1f})"
            f"  peak {max(peaks[name]):7.0f} MiB  {ratio:5.2f}x"
            + (f"  {slower:.2f}x slower with a neighbour" if slower else ""),
            flush=True,
        )
        rows.append(
            [
                args.model,
                work,
                batch,
                args.threads,
                name,
                f"{median:.2f}",
                f"{ratio:.3f}",
                f"{max(peaks[name]):.0f}",
                f"{slower:.3f}" if slower else "",
            ]
        )
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--model", required=True)
    parser.add_argument("--batch", type=int, help="compare training at this batch")
    parser.add_argument(
        "--predict-batch",
        type=int,
        action="append",
        default=[],
        help="compare inference at this batch; may be repeated",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--peers", help="only these, separated by commas: " + ", ".join(TORCH + INFERENCE + KERAS))
    parser.add_argument("--neighbour", action="store_true", help="also with a busy process on the first core")
    parser.add_argument("--csv", type=pathlib.Path)
    args = parser.parse_args()
    training = KERAS if args.model.startswith("keras") else TORCH
    chosen = args.peers.split(",") if args.peers else None
    rows = compare(args, "train", args.batch, chosen or training) if args.batch else []
    for batch in args.predict_batch:
        rows += compare(args, "predict", batch, chosen or TORCH + INFERENCE)
    if args.csv:
        with args.csv.open("w", newline="") as file:
            csv.writer(file).writerows(
                [
                    [
                        "model",
                        "work",
                        "batch",
                        "threads",
                        "contestant",
                        "images_per_second",
                        "resin_ratio",
                        "peak_mib",
                        "slowdown_with_neighbour",
                    ],
                    *rows,
                ]
            )


if __name__ == "__main__":
    main()
