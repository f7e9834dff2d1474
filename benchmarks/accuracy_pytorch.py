#!/usr/bin/env python3
"""Trains the PyTorch peer of a CIFAR model by the recipe of models/resnet20.resin and prints the test accuracy.

The figures to set beside `net train`: SGD with momentum 0.9 and weight decay 1e-4, batch 128, cosine from 0.1 with one
epoch of warm-up, pad-crop 4 and flip, per-channel normalisation by the training set's own mean and deviation.
"""

import argparse
import math
import pathlib

import numpy as np
import torch
from torch.nn import functional as F

import torch_models


def load(folder, names):
    records = np.concatenate([np.fromfile(folder / name, np.uint8).reshape(-1, 3073) for name in names])
    return torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255), torch.from_numpy(
        records[:, 0].astype(np.int64)
    )


def augment(images, generator):
    n = len(images)
    padded = F.pad(images, (4, 4, 4, 4))
    dy, dx = torch.randint(0, 9, (n,), generator=generator), torch.randint(0, 9, (n,), generator=generator)
    rows = (dy[:, None] + torch.arange(32))[:, None, :, None]
    columns = dx[:, None] + torch.arange(32)
    flip = torch.rand(n, generator=generator) < 0.5
    columns[flip] = columns[flip].flip(1)
    return padded[
        torch.arange(n)[:, None, None, None], torch.arange(3)[None, :, None, None], rows, columns[:, None, None, :]
    ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)

    x, label = load(args.data, sorted(p.name for p in args.data.glob("data_batch_*.bin")))
    test, test_label = load(args.data, ["test_batch.bin"])
    mean, deviation = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True, unbiased=False)
    x, test = (x - mean) / deviation, (test - mean) / deviation

    model = torch_models.build(args.model).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
    batch, peak = 128, 0.1
    steps = len(x) // batch
    for epoch in range(args.epochs):
        model.train()
        order = torch.randperm(len(x), generator=generator)
        total = 0.0
        for step in range(steps):
            now, warm, end = epoch * steps + step, steps, args.epochs * steps
            rate = (
                peak * (now + 1) / warm
                if now < warm
                else peak * 0.5 * (1 + math.cos(math.pi * (now - warm) / (end - warm)))
            )
            optimizer.param_groups[0]["lr"] = rate
            picked = order[step * batch : (step + 1) * batch]
            images = augment(x[picked], generator).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(model(images), label[picked])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        model.eval()
        with torch.no_grad():
            hits = sum(
                (model(test[i : i + 500]).argmax(1) == test_label[i : i + 500]).sum().item()
                for i in range(0, len(test), 500)
            )
        print(
            f"seed {args.seed} epoch {epoch + 1} loss {total / steps:.4f} Acc@1 {100 * hits / len(test):.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
