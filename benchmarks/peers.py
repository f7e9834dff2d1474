#!/usr/bin/env python3
"""One peer in a process of its own: sets a network up, says "ready", then answers every line on stdin ("seconds") with
images per second and its peak memory in MiB.

    benchmarks/peers.py PEER MODEL BATCH train|predict THREADS

`compare.py` starts these and gives them the machine in turn.
"""

import os
import pathlib
import statistics
import sys
import tempfile
import time


def torch_step(model, batch, training, threads, compiled, channels_last):
    import torch
    import torch_models

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    size = torch_models.image_size(model)
    network = torch_models.build(model).to(memory_format=layout)
    image = torch.randn(batch, 3, size, size).contiguous(memory_format=layout)
    label = torch.randint(0, 10, (batch,))
    run = torch.compile(network) if compiled else network
    if not training:
        network.eval()

        def predict():
            with torch.inference_mode():
                run(image)

        return predict
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)

    def step():
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(run(image), label).backward()
        optimizer.step()

    return step


def onnx_file(model, batch, folder):
    """The network as PyTorch exports it for inference, batch fixed; returns the file and an input."""
    import torch
    import torch_models

    size = torch_models.image_size(model)
    image = torch.randn(batch, 3, size, size)
    torch.onnx.export(
        torch_models.build(model).eval(),
        (image,),
        str(folder / "net.onnx"),
        input_names=["image"],
        output_names=["logits"],
        dynamo=False,
    )
    return folder / "net.onnx", image.numpy()


def onnxruntime_step(model, batch, threads):
    import onnxruntime

    with tempfile.TemporaryDirectory() as name:
        file, image = onnx_file(model, batch, pathlib.Path(name))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"image": image})


def openvino_step(model, batch, threads):
    import openvino

    core = openvino.Core()
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
    with tempfile.TemporaryDirectory() as name:
        file, image = onnx_file(model, batch, pathlib.Path(name))
        request = core.compile_model(core.read_model(file), "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(image))
    return request.infer


def keras_step(model, batch, threads, compiled):
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
    import numpy
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    import keras_models

    network = keras_models.build(model)
    image = tensorflow.constant(numpy.random.default_rng(0).random((batch, 32, 32, 3), numpy.float32))
    label = tensorflow.constant(numpy.random.default_rng(1).integers(0, 10, (batch,)))
    step = keras_models.train_step(network, compiled)
    return lambda: float(step(image, label))


PEERS = {
    "torch-eager-nchw": lambda m, b, train, t: torch_step(m, b, train, t, False, False),
    "torch-eager-nhwc": lambda m, b, train, t: torch_step(m, b, train, t, False, True),
    "torch-compiled-nchw": lambda m, b, train, t: torch_step(m, b, train, t, True, False),
    "torch-compiled-nhwc": lambda m, b, train, t: torch_step(m, b, train, t, True, True),
    "onnxruntime": lambda m, b, train, t: onnxruntime_step(m, b, t),
    "openvino": lambda m, b, train, t: openvino_step(m, b, t),
    "keras": lambda m, b, train, t: keras_step(m, b, t, False),
    "keras-xla": lambda m, b, train, t: keras_step(m, b, t, True),
}


def main():
    peer, model, batch, work, threads = sys.argv[1:]
    step = PEERS[peer](model, int(batch), work == "train", int(threads))
    for _ in range(3):
        step()
    print("ready", flush=True)
    for line in sys.stdin:
        times, end = [], time.perf_counter() + float(line)
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        peak = int(pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
        print(int(batch) / statistics.median(times), peak, flush=True)


if __name__ == "__main__":
    main()
