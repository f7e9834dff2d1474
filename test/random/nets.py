"""Random residual networks in the language's words: chains of its layers with odd sizes, strides, groups and dilations,
norms anywhere, joins of every kind.

    python3 nets.py SEED [small|wide]      # prints a network

The same seed makes the same network. `small` ones are for the interpreter; `wide` ones reach for what a machine's
limits are.
"""

import random
import sys

OPTIMIZERS = [
    "sgd(momentum = 0.9)",
    "sgd(momentum = 0.9, nesterov = true, weight_decay = 5e-4)",
    "adam",
    "adamw(weight_decay = 0.05)",
    "rmsprop",
]

MOST_WORK = 3e9  # of Net.work: some seconds of training by the direct template, minutes by the generic one


def windowed(size, kernel, stride, before, after, dilation=1):
    """Extent of the result of a window that slides over `size` elements; less than 1 where it does not fit."""
    return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1


class Net:
    """A network as text, with the shape of its last tensor."""

    def __init__(self, seed, kind="small"):
        self.random = random.Random(f"{kind} {seed}")
        self.kind = kind
        self.begin()

    def begin(self):
        self.lines = []
        self.temporaries = 0
        self.work = 0  # multiply-adds of its convolutions, of one image

    def choose(self, *values):
        return self.random.choice(values)

    def chance(self, probability):
        return self.random.random() < probability

    # -- layers: each returns its text, and changes self.shape ------------------------------------------------------

    def channels(self, most):
        return self.choose(self.random.randint(1, most), self.random.randint(1, most), 8, 16, 16, 32, 48)

    def conv(self, keep=False, wanted=None):
        """A convolution; `keep` has it keep height and width, `wanted` sets its channels."""
        c, h, w = self.shape
        groups = 1
        k = wanted or min(self.channels(self.most_channels), self.most_channels)
        if not wanted and self.chance(0.3):  # any number of groups that divides the input's channels
            groups = self.choose(*[g for g in range(1, c + 1) if c % g == 0])
            k = groups * self.random.randint(1, max(1, self.most_channels // groups))
        dilation = self.choose(1, 1, 1, 2)
        kernel = [self.choose(1, 3, 3, 3, 5), 0]
        kernel[1] = self.choose(kernel[0], kernel[0], 1, 3, 7)
        if keep:
            stride, pad = [1, 1], [dilation * (r - 1) // 2 for r in kernel]
            pads = pad * 2
        else:
            stride = [self.choose(1, 1, 2), 0]
            stride[1] = self.choose(stride[0], stride[0], 1, 2, 3)
            pads = [self.random.randint(0, max(0, dilation * (r - 1))) for r in kernel * 2]
        h2 = windowed(h, kernel[0], stride[0], pads[0], pads[2], dilation)
        w2 = windowed(w, kernel[1], stride[1], pads[1], pads[3], dilation)
        if h2 < 1 or w2 < 1:
            return self.conv(True, wanted)
        self.shape = [k, h2, w2]
        self.work += k * h2 * w2 * (c // groups) * kernel[0] * kernel[1]
        bias = ", bias = true" if self.chance(0.3) else ""
        window = f"kernel = {kernel}, stride = {stride}, pad = {pads}, dilation = {dilation}"
        return f"conv({k}, {window}, groups = {groups}{bias})"

    def pool(self):
        c, h, w = self.shape
        size = [self.random.randint(1, min(3, h)), self.random.randint(1, min(3, w))]
        stride = [self.random.randint(1, 2), self.random.randint(1, 3)]
        name = self.choose("max_pool", "avg_pool")
        pads = [self.random.randint(0, extent - 1) for extent in size * 2]
        self.shape = [c] + [windowed(n, size[i], stride[i], pads[i], pads[i + 2]) for i, n in enumerate((h, w))]
        return f"{name}({size}, stride = {stride}, pad = {pads})"

    def subsample(self):
        stride = self.choose(1, 2, 2, 3)
        self.shape = [self.shape[0]] + [-(-extent // stride) for extent in self.shape[1:]]
        return f"subsample({stride})"

    def pad_channels(self):
        self.shape[0] += self.random.randint(0, 20)
        return f"pad_channels({self.shape[0]})"

    def simple(self):
        """A layer that keeps the shape."""
        norm = "batch_norm" if self.batch * self.shape[1] * self.shape[2] > 1 else "relu"
        return self.choose("relu", "silu", "leaky_relu(0.2)", norm, norm, norm, "dropout(0.25)")

    def stage(self):
        draw = self.random.random()
        if draw < 0.4:
            return self.conv()
        if draw < 0.8:
            return self.simple()
        return self.choose(self.pool, self.pool, self.subsample, self.pad_channels)()

    # -- structure ----------------------------------------------------------------------------------------------------

    def chain(self, source, stages):
        """Binds a new name to `source |> stages`."""
        self.temporaries += 1
        name = f"t{self.temporaries}"
        self.lines.append(f"  {name} = {source}" + "".join(f"\n    |> {stage}" for stage in stages))
        return name

    def join(self, x):
        """A residual block: two branches that end with one shape."""
        start = list(self.shape)
        left = self.chain(x, [self.stage() for _ in range(self.random.randint(1, 3))])
        end = list(self.shape)
        if end == start and self.chance(0.7):
            right = x
        else:
            right = self.project(x, start, end)
        return self.chain(f"{left} + {right}", [self.simple()] if self.chance(0.7) else [])

    def project(self, x, start, end):
        """The other branch: convolutions that bring the map to the right size, or one of 1x1."""
        stages = []
        c = start[0]
        for axis in (0, 1):
            have, want = start[1 + axis], end[1 + axis]
            if have == want:
                continue
            size, grown = [1, 1], [0, 0, 0, 0]
            if have > want:  # a window of all that is too much
                size[axis] = have - want + 1
            else:
                grown[axis] = want - have
            stages.append(f"conv({end[0]}, kernel = {size}, pad = {grown})")
            self.work += end[0] * start[1] * start[2] * c * size[0] * size[1]  # at most
            c = end[0]
        if not stages:
            stages.append(f"conv({end[0]}, kernel = 1)")
        self.shape = list(end)
        if self.chance(0.5) and self.batch * end[1] * end[2] > 1:
            stages.append("batch_norm")
        return self.chain(x, stages)

    def head(self, x):
        classes = self.random.randint(2, 20)
        c, h, w = self.shape
        stages = [self.choose("global_avg_pool", "flatten") if c * h * w <= 4096 else "global_avg_pool"]
        if self.chance(0.3):
            stages += [f"linear({self.random.randint(1, 40)})", "relu"]
        if self.chance(0.2):
            stages.append("dropout(0.5)")
        return classes, x, stages + [f"linear({classes})"]

    def draw(self):
        """The model's classes, last value and head."""
        sizes = {"small": (14, 40, 5), "wide": (300, 700, 4)}
        most_extent, self.most_channels, blocks = sizes[self.kind]
        self.batch = self.choose(1, 2, 3, 4, 7)
        self.image = [self.choose(1, 3, 4), self.random.randint(1, most_extent), self.random.randint(1, most_extent)]
        if self.kind == "wide":
            self.batch = self.choose(1, 2)
            if self.chance(0.2):
                self.image = [self.choose(1, 3), 1, self.random.randint(10_000, 200_000)]
                self.most_channels = 16
        self.shape = list(self.image)
        x = "image"
        for _ in range(self.random.randint(1, blocks)):
            x = (
                self.join(x)
                if self.chance(0.4)
                else self.chain(x, [self.stage() for _ in range(self.random.randint(1, 3))])
            )
        return self.head(x)

    def text(self):
        classes, x, stages = self.draw()
        while self.work > MOST_WORK:  # another one, that is done this side of an hour
            self.begin()
            classes, x, stages = self.draw()
        body = "\n".join(self.lines)
        return f"""model m(image: {self.image}) -> [{classes}] {{
{body}
  return {x} |> {" |> ".join(stages)}
}}

train {{
  data = synthetic
  batch = {self.batch}
  seed = {self.random.randint(0, 1000)}
  loss = cross_entropy(label_smoothing = {self.choose("0.0", "0.1")})
  optimizer = {self.choose(*OPTIMIZERS)}
  numerics = {self.choose("fast", "fast", "strict")}
  lr = 0.01
}}
"""


if __name__ == "__main__":
    print(Net(sys.argv[1], *sys.argv[2:3]).text(), end="")
