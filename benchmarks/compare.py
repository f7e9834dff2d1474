#!/usr/bin/env python3
"""Resin beside PyTorch on the same machine: training and inference, interleaved, medians, ratios.

    benchmarks/compare.py build/demo/resnet20 --model resnet20 --batch 128 [--predict-batch 1] [--rounds 5] [--seconds 3] [--threads 2] [--csv FILE]

The program was built by `resin build` for the same batch. Each contestant is a process of its own that waits for its turn; a round gives every one of them
the machine for a few seconds, so that slow minutes of a shared machine hit all alike. PyTorch runs eager and compiled, in both memory formats, with its
transparent-huge-page allocator on. What is printed is the median over rounds and the ratio to the best peer.
"""

import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys


def worker(name, batch, training, compiled, channels_last, threads):
    """Runs in a child: answers each line on stdin ("seconds") with images per second and the process's peak memory in MiB."""
    import time

    import torch
    import torch_models

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    size = torch_models.image_size(name)
    model = torch_models.build(name).to(memory_format=layout)
    image = torch.randn(batch, 3, size, size).contiguous(memory_format=layout)
    label = torch.randint(0, 10, (batch,))
    run = torch.compile(model) if compiled else model
    if training:
        model.train()
        optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)

        def step():
            optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(run(image), label).backward()
            optimizer.step()
    else:
        model.eval()

        def step():
            with torch.inference_mode():
                run(image)

    for _ in range(3):
        step()
    print("ready", flush=True)
    for line in sys.stdin:
        times, end = [], time.perf_counter() + float(line)
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        status = pathlib.Path("/proc/self/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
        print(batch / statistics.median(times), peak, flush=True)


class Torch:
    def __init__(self, model, batch, training, compiled, channels_last, threads):
        self.name = f"torch {'compiled' if compiled else 'eager'} {'nhwc' if channels_last else 'nchw'}"
        arguments = ["--worker", model, str(batch), str(int(training)), str(int(compiled)), str(int(channels_last)), str(threads)]
        environment = dict(os.environ, THP_MEM_ALLOC_ENABLE="1", OMP_NUM_THREADS=str(threads))
        self.process = subprocess.Popen([sys.executable, __file__, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        line = self.process.stdout.readline()
        if line.strip() != "ready":
            raise RuntimeError(f"{self.name} did not start")

    def measure(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        rate, peak = map(float, self.process.stdout.readline().split())
        return rate, peak


class Resin:
    name = "resin"

    def __init__(self, program, training, batch, threads):
        self.program, self.training, self.batch, self.threads = program, training, batch, threads

    def measure(self, seconds):
        only = "train" if self.training else "predict"
        command = [self.program, "bench", "--json", "--seconds", str(seconds), "--threads", str(self.threads), "--only", only]
        result = json.loads(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
        peak = result["peak_memory_bytes"] / 2**20
        if self.training:
            return result["train_images_per_second"], peak
        row = next(row for row in result["predict"] if row["batch"] == self.batch)
        return row["images_per_second"], peak


def compare(args, training, batch):
    contestants = [Resin(args.program, training, batch, args.threads)]
    for compiled in (False, True):
        for channels_last in (False, True):
            contestants.append(Torch(args.model, batch, training, compiled, channels_last, args.threads))
    rates = {c.name: [] for c in contestants}
    peaks = {}
    for _ in range(args.rounds):
        for contestant in contestants:
            rate, peaks[contestant.name] = contestant.measure(args.seconds)
            rates[contestant.name].append(rate)
    for contestant in contestants[1:]:
        contestant.process.stdin.close()
        contestant.process.wait()
    medians = {name: statistics.median(values) for name, values in rates.items()}
    best = max((name for name in medians if name != "resin"), key=medians.get)
    work = "train" if training else "predict"
    print(f"{args.model} {work} batch {batch}, {args.threads} threads, {args.rounds} rounds of {args.seconds:g} s; ratio of resin to each; best peer: {best}")
    rows = []
    for name, median in medians.items():
        ratio = medians["resin"] / median
        print(f"  {name:22} {median:9.1f} img/s  (min {min(rates[name]):.1f}, max {max(rates[name]):.1f})  peak {peaks[name]:7.0f} MiB  {ratio:5.2f}x")
        rows.append([args.model, work, batch, args.threads, name, f"{median:.2f}", f"{ratio:.3f}", f"{peaks[name]:.0f}"])
    return rows


def main():
    if sys.argv[1:2] == ["--worker"]:
        name, batch, training, compiled, channels_last, threads = sys.argv[2:]
        return worker(name, int(batch), bool(int(training)), bool(int(compiled)), bool(int(channels_last)), int(threads))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--model", required=True)
    parser.add_argument("--batch", type=int, help="compare training at this batch")
    parser.add_argument("--predict-batch", type=int, action="append", default=[], help="compare inference at this batch; may be repeated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--csv", type=pathlib.Path)
    args = parser.parse_args()
    rows = compare(args, True, args.batch) if args.batch else []
    for batch in args.predict_batch:
        rows += compare(args, False, batch)
    if args.csv:
        with args.csv.open("w", newline="") as file:
            csv.writer(file).writerows([["model", "work", "batch", "threads", "contestant", "images_per_second", "resin_ratio", "peak_mib"], *rows])


if __name__ == "__main__":
    main()
