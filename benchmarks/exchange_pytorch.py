#!/usr/bin/env python3
"""Weights and updates exchanged with PyTorch through safetensors: prints the largest relative errors.

    benchmarks/exchange_pytorch.py build/demo/resnet20 --model resnet20 [--images 4]

1. PyTorch's weights, predicted by our program: logits against PyTorch's.
2. Our initial weights, loaded into PyTorch: logits against our program's.
3. One SGD step of both from the same weights on the same batch: relative L2 distance of every parameter's update.
"""

import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
import safetensors.torch
import torch

import torch_models


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def predict(program, weights, images, folder):
    np.save(folder / "x.npy", images.numpy())
    run(program, "predict", "--weights", weights, "--input", folder / "x.npy", "--output", folder / "y.npy")
    return torch.from_numpy(np.load(folder / "y.npy"))


def relative(ours, theirs):
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


def write_batch(folder, batch):
    """A CIFAR-10 folder whose training set is exactly one batch; returns it as tensors (pixels / 255)."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (batch, 3072), dtype=np.uint8)
    label = generator.integers(0, 10, (batch, 1), dtype=np.uint8)
    records = np.concatenate([label, pixels], axis=1)
    records.tofile(folder / "data_batch_1.bin")
    records.tofile(folder / "test_batch.bin")
    return torch.from_numpy(pixels.reshape(-1, 3, 32, 32).astype(np.float32) / 255), torch.from_numpy(label[:, 0].astype(np.int64))


def variables(path):
    return {name: tensor for name, tensor in safetensors.torch.load_file(path).items() if not name.startswith("optimizer.")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--batch", type=int, default=128, help="the batch the program was built for")
    parser.add_argument("--no-step", action="store_true", help="leave out the SGD step (models that don't take 32x32 images)")
    args = parser.parse_args()
    size = torch_models.image_size(args.model)
    torch.manual_seed(0)
    images = torch.randn(args.images, 3, size, size)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = torch_models.build(args.model)
        model.train()
        with torch.no_grad():
            for _ in range(3):
                model(torch.randn(8, 3, size, size) * 1.5 + 0.3)  # running statistics that are not the initial ones
        model.eval()
        safetensors.torch.save_file({k: v for k, v in model.state_dict().items()}, folder / "torch.safetensors")
        with torch.no_grad():
            print(f"{args.model}: PyTorch's weights in our program: logits differ by {relative(predict(args.program, folder / 'torch.safetensors', images, folder), model(images)):.2e}")

        run(args.program, "train", "--data", "synthetic", "--limit", args.batch, "--epochs", "0", "--out", folder / "initial")
        ours = folder / "initial" / "last.safetensors"
        model.load_state_dict(variables(ours), strict=True)
        with torch.no_grad():
            print(f"{args.model}: our weights in PyTorch: logits differ by {relative(predict(args.program, ours, images, folder), model(images)):.2e}")
        if args.no_step:
            return

        x, label = write_batch(folder, args.batch)
        rate = 0.05
        run(args.program, "train", "--data", folder, "--out", folder / "run", "--weights", ours, "--steps", "1", "--lr", str(rate), "--no-shuffle", "--set", "train.lr.warmup=0",
            "--set", "train.augment=none", "--set", "train.normalize=none")
        model.train()
        before = {k: v.clone() for k, v in model.state_dict().items()}
        optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.9, weight_decay=1e-4)
        torch.nn.functional.cross_entropy(model(x), label).backward()
        optimizer.step()
        after, resin = model.state_dict(), variables(folder / "run" / "last.safetensors")
        worst = ("", 0.0)
        for key, _ in model.named_parameters():
            theirs, mine = after[key] - before[key], resin[key] - before[key]
            error = ((mine - theirs).norm() / theirs.norm()).item()
            worst = max(worst, (key, error), key=lambda pair: pair[1])
        statistic = max(relative(resin[k], after[k]) for k in resin if "running" in k)
        print(f"{args.model}: one SGD step: worst update {worst[1]:.2e} ({worst[0]}), worst running statistic {statistic:.2e}")


if __name__ == "__main__":
    main()
