#!/usr/bin/env python3
"""Weights and updates exchanged with PyTorch through safetensors: prints the largest relative errors.

    benchmarks/exchange_pytorch.py build/demo/resnet20 --model resnet20 [--images 4]

1. PyTorch's weights, predicted by our program: logits against PyTorch's.
2. Our initial weights, loaded into PyTorch: logits against our program's.
3. One SGD step from the same weights on the same batch: how far every parameter's update is from PyTorch's in f64, in
   relative L2, for our program and for PyTorch in f32 in both memory formats, and how far ours is from PyTorch's in
   f32. Where rounding decides the sign of an activation next to zero, its gradient comes or goes; a batch of 128 has
   tens of millions of activations and some of these in every step, a batch of 8 hardly any.
"""

import argparse
import pathlib
import statistics
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
    run(program, "predict", "--raw", "--weights", weights, "--input", folder / "x.npy", "--output", folder / "y.npy")
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
    return torch.from_numpy(pixels.reshape(-1, 3, 32, 32).astype(np.float32) / 255), torch.from_numpy(
        label[:, 0].astype(np.int64)
    )


def torch_step(name, start, x, label, rate, dtype, layout):
    """The updates of one SGD step in PyTorch, by parameter, in f64."""
    model = torch_models.build(name)
    model.load_state_dict(start)
    model = model.to(dtype=dtype, memory_format=layout).train()
    optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.9, weight_decay=1e-4)
    torch.nn.functional.cross_entropy(model(x.to(dtype)), label).backward()
    optimizer.step()
    return {key: value.detach().double() - start[key] for key, value in model.named_parameters()}


def variables(path):
    return {
        name: tensor for name, tensor in safetensors.torch.load_file(path).items() if not name.startswith("optimizer.")
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--batch", type=int, default=128, help="the batch the program was built for")
    parser.add_argument(
        "--no-step", action="store_true", help="leave out the SGD step (models that don't take 32x32 images)"
    )
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
            logits = predict(args.program, folder / "torch.safetensors", images, folder)
            far = relative(logits, model(images))
            print(f"{args.model}: PyTorch's weights in our program: logits differ by {far:.2e}")

        run(
            args.program,
            "train",
            "--data",
            "synthetic",
            "--limit",
            args.batch,
            "--epochs",
            "0",
            "--out",
            folder / "initial",
        )
        ours = folder / "initial" / "last.safetensors"
        model.load_state_dict(variables(ours), strict=True)
        with torch.no_grad():
            logits = predict(args.program, ours, images, folder)
            print(f"{args.model}: our weights in PyTorch: logits differ by {relative(logits, model(images)):.2e}")
        if args.no_step:
            return

        x, label = write_batch(folder, args.batch)
        rate = 0.05
        run(
            args.program,
            "train",
            "--data",
            folder,
            "--out",
            folder / "run",
            "--weights",
            ours,
            "--steps",
            "1",
            "--no-shuffle",
            "--set",
            f"train.lr={rate}",
            "--set",
            "train.augment=none",
            "--set",
            "train.normalize=none",
        )
        resin = variables(folder / "run" / "last.safetensors")
        start = variables(ours)
        exact = torch_step(args.model, start, x, label, rate, torch.float64, torch.contiguous_format)
        updates = {"resin": {key: resin[key].double() - start[key] for key in exact}}
        for name, layout in (("torch nchw", torch.contiguous_format), ("torch nhwc", torch.channels_last)):
            updates[name] = torch_step(args.model, start, x, label, rate, torch.float32, layout)
        print(f"{args.model}: one SGD step, relative L2 distance of each parameter's update from PyTorch's in f64:")
        for name, update in updates.items():
            errors = {key: ((update[key] - exact[key]).norm() / exact[key].norm()).item() for key in exact}
            worst = max(errors, key=errors.get)
            print(f"  {name:11} median {statistics.median(errors.values()):.1e}, worst {errors[worst]:.1e} ({worst})")
        ours, theirs = updates["resin"], updates["torch nchw"]
        errors = {key: ((ours[key] - theirs[key]).norm() / theirs[key].norm()).item() for key in exact}
        worst = max(errors, key=errors.get)
        print(
            f"  resin from torch nchw in f32: median {statistics.median(errors.values()):.1e}, "
            f"worst {errors[worst]:.1e} ({worst})"
        )


if __name__ == "__main__":
    main()
