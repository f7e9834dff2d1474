"""depth.py RESIN FOLDER: builds the same network at two depths and holds the CPU time of the deeper one against the
other.

Linear work takes 4 times as long at 4 times the depth, quadratic work 16 times. Everything but the kernels is built,
which are the same at all depths.
"""

import pathlib
import resource
import subprocess
import sys

SOURCE = """
block basic(x) {
  y = x |> conv1: conv(16, kernel = 3) |> bn1: batch_norm |> relu |> conv2: conv(16, kernel = 3) |> bn2: batch_norm
  return relu(y + x)
}
model deep(image: [3, 8, 8]) -> [10] {
  x = image |> conv1: conv(16, kernel = 3) |> bn1: batch_norm |> relu
  layer1: repeat DEPTH { x = basic(x) }
  return x |> global_avg_pool |> fc: linear(10)
}
train { data = synthetic  batch = 8  optimizer = sgd(momentum = 0.9)  lr = constant(0.1)  epochs = 1 }
"""

CHAIN = """
model chain(image: [3, 8, 8]) -> [10] {
  x = image |> conv1: conv(16, kernel = 3)
  repeat DEPTH { x = x |> relu }
  return x |> global_avg_pool |> fc: linear(10)
}
train { data = synthetic  batch = 8  optimizer = sgd(momentum = 0.9)  lr = constant(0.1)  epochs = 1 }
"""


def seconds(resin, folder, source, depth):
    """CPU time of a build up to the program's own object file."""
    file = folder / "deep.resin"
    file.write_text(source.replace("DEPTH", str(depth)))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([resin, "build", file, "--predict-batch=1", "--emit=object", "-o", folder / "deep.o"], check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main():
    resin, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    seconds(resin, folder, SOURCE, 1)  # the compiler's own pages are read
    for name, source, depth in (("blocks", SOURCE, 150), ("a chain of relu", CHAIN, 4500)):
        shallow, deep = (seconds(resin, folder, source, depth * factor) for factor in (1, 4))
        print(f"{name}: {depth} take {shallow:.2f} s, {4 * depth} take {deep:.2f} s")
        if deep > 8 * shallow:
            sys.exit(f"4 times the depth takes {deep / shallow:.1f} times as long")


main()
