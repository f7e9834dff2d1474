"""foreign.py WEIGHTS FOLDER: makes weights and arrays from those of a run, as users bring them."""

import json
import pathlib
import random
import struct
import sys

source, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
data = source.read_bytes()
length = struct.unpack("<Q", data[:8])[0]
header, tensors = json.loads(data[8 : 8 + length]), data[8 + length :]
del header["__metadata__"]["resin.checksum"]


def write_weights(name, rename=lambda key: key, tensor=None, number=0.0):
    """The run's weights; `tensor` begins with `number`."""
    names = {
        key if key.startswith("__") else rename(key): value
        for key, value in header.items()
        if not key.startswith("optimizer.")
    }
    values, reached, entries = b"", 0, {}
    for key, entry in names.items():
        if key == "__metadata__":
            entries[key] = entry
            continue
        begin, end = entry["data_offsets"]
        part = tensors[begin:end]
        values += struct.pack("<f", number) + part[4:] if key == tensor else part
        entries[key] = {**entry, "data_offsets": [reached, reached := reached + end - begin]}
    text = json.dumps(entries).encode()
    (folder / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + values)


def write_array(name, descr, code, shape, numbers, fortran=False):
    text = repr({"descr": descr, "fortran_order": fortran, "shape": shape}).encode() + b"\n"
    order = ">" if descr[0] == ">" else "<"
    (folder / f"{name}.npy").write_bytes(
        b"\x93NUMPY\x01\x00"
        + struct.pack("<H", len(text))
        + text
        + struct.pack(f"{order}{len(numbers)}{code}", *numbers)
    )


write_weights("wrapped", rename=lambda key: "module." + key)
write_weights("nan", tensor="conv1.weight", number=float("nan"))
write_weights("variance", tensor="bn1.running_var", number=-1e-3)

images, channels, side = 8, 3, 32
shape = (images, channels, side, side)
random.seed(0)
pixels = list(random.randbytes(images * channels * side * side))
place = lambda n, c, y, x: ((n * channels + c) * side + y) * side + x
floats = [pixel / 255 for pixel in pixels]
write_array("bytes", "|u1", "B", shape, pixels)
write_array("floats", "<f4", "f", shape, floats)
write_array("doubles", "<f8", "d", shape, floats)
write_array("big", ">i4", "i", shape, pixels)
write_array("one", "|u1", "B", shape[1:], pixels[: channels * side * side])
write_array(
    "fortran",
    "<f4",
    "f",
    shape,
    [
        floats[place(n, c, y, x)]
        for x in range(side)
        for y in range(side)
        for c in range(channels)
        for n in range(images)
    ],
    fortran=True,
)
write_array(
    "last",
    "<f4",
    "f",
    (images, side, side, channels),
    [
        floats[place(n, c, y, x)]
        for n in range(images)
        for y in range(side)
        for x in range(side)
        for c in range(channels)
    ],
)
floats[place(3, 0, 5, 5)] = float("nan")
write_array("nan", "<f4", "f", shape, floats)
