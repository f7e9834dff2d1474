#!/usr/bin/env python3
"""Draws the kernels of one residual block, forwards and backwards, from the IR that they are made of.

    resin build docs/pictures/residual_block.resin --emit=fused --no-tuning --target x86-64-v3 -o - |
      python3 docs/pictures/residual_block.py > docs/pictures/residual_block.svg

Which kernels there are, what each computes and who reads what is the IR's; PLACES below says where a kernel stands and
what its results are called. A kernel that has no place there, and a place whose kernel is gone, is an error.
"""

import html
import re
import sys

FUNCTION, BLOCK, BEFORE, AFTER = "train_step", "blocks.1.", "blocks.0.", "blocks.2."

# Rows from top to bottom, and the middle of each.
FINALIZE, FORWARD, BACKWARD, FINALIZE_GRADIENT, FILTERS, UPDATES = 128, 236, 452, 588, 686, 768
# Columns: the middle of each.
LEFT, RIGHT = 58, 1232
# A kernel: (where in the step, the layer within the block, the op that names it): (x, y, what its results are called).
# ~ stands for a space; later results have no name.
PLACES = {
    ("forward", "conv1", "conv2d"): (156, FORWARD, "y₁ Σy₁ Σy₁²"),
    ("forward", "bn1", "batch_norm_finalize"): (300, FINALIZE, "multiplier₁ addend₁ mean₁ variance₁"),
    ("forward", "relu1", "relu"): (444, FORWARD, "r₁"),
    ("forward", "conv2", "conv2d"): (736, FORWARD, "y₂ Σy₂ Σy₂²"),
    ("forward", "bn2", "batch_norm_finalize"): (880, FINALIZE, "multiplier₂ addend₂ mean₂ variance₂"),
    ("forward", "relu2", "relu"): (1024, FORWARD, "out"),
    ("backward", "relu2", "relu_grad"): (1126, BACKWARD, "dz₂ Σdz₂ Σdz₂y₂"),
    ("backward", "bn2", "batch_norm_grad_finalize"): (1026, FINALIZE_GRADIENT, "a₂ b₂ c₂ d~bn2.weight d~bn2.bias"),
    ("backward", "bn2", "affine_combine"): (930, BACKWARD, "dy₂"),
    ("backward", "conv2", "relayout"): (736, FINALIZE_GRADIENT, "conv2.weightᵀ"),
    ("backward", "conv2", "conv2d_grad_data"): (736, BACKWARD, "dr₁"),
    ("backward", "relu1", "relu"): (624, FILTERS, "r₁"),
    ("backward", "conv2", "conv2d_grad_weight"): (833, FILTERS, "lanes₂"),
    ("backward", "conv2", "batch_sum"): (833, UPDATES, "d~conv2.weight"),
    ("backward", "conv2", "sgd"): (1026, UPDATES, ""),
    ("backward", "bn2", "sgd"): (1026, FILTERS, ""),
    ("backward", "relu1", "relu_grad"): (538, BACKWARD, "dz₁ Σdz₁ Σdz₁y₁"),
    ("backward", "bn1", "batch_norm_grad_finalize"): (442, FINALIZE_GRADIENT, "a₁ b₁ c₁ d~bn1.weight d~bn1.bias"),
    ("backward", "bn1", "affine_combine"): (348, BACKWARD, "dy₁"),
    ("backward", "conv1", "relayout"): (156, FINALIZE_GRADIENT, "conv1.weightᵀ"),
    ("backward", "conv1", "conv2d_grad_data"): (156, BACKWARD, "dx"),
    ("backward", "conv1", "conv2d_grad_weight"): (252, FILTERS, "lanes₁"),
    ("backward", "conv1", "batch_sum"): (252, UPDATES, "d~conv1.weight"),
    ("backward", "conv1", "sgd"): (442, UPDATES, ""),
    ("backward", "bn1", "sgd"): (442, FILTERS, ""),
}
# What the block reads of its neighbours: (where, layer, op, number of the result): its name here.
NEIGHBOURS = {
    ("forward", BEFORE + "relu2", "relu", 0): "x",
    ("backward", AFTER + "relu2", "relu_grad", 0): "dz₂ of next",
    ("backward", AFTER + "conv1", "conv2d_grad_data", 0): "dx of next",
}
RIDERS = {"channel_sum", "channel_dot", "running_average"}  # ops that name no kernel
KIND = dict.fromkeys(["conv2d", "conv2d_grad_data", "conv2d_grad_weight"], "convolution")
KIND |= dict.fromkeys(["relu", "relu_grad", "affine_combine"], "pointwise")  # all others: small


class Kernel:
    """One `resnet.fused`: the values it makes and reads, and its ops with their layers, in program order."""

    def __init__(self, where, results, operands):
        self.where, self.results, self.operands, self.ops, self.count = where, results, operands, [], 1

    @property
    def key(self):
        op, layer = next(((op, layer) for op, layer in reversed(self.ops) if op not in RIDERS), self.ops[-1])
        return self.where, layer, op

    @property
    def kind(self):
        return KIND.get(self.key[2], "small")

    @property
    def width(self):
        return 168 if self.key[2].startswith("batch_norm") else 128


def layers_of(text):
    """The layer that each location names, the first of several."""
    layers = {}
    for name, what in re.findall(r"^(#loc\d*) = loc\(fused(.*)\)$", text, re.MULTILINE):
        quoted = re.match(r'<"([^"]+)">', what)
        layers[name] = quoted.group(1) if quoted else layers[re.search(r"#loc\d+", what).group(0)]
    return layers


def parse(text):
    """The kernels of the function in program order, and the name of each variable that is read."""
    layers, kernels, variables, where = layers_of(text), [], {}, "forward"
    start = text.index(f"func.func @{FUNCTION}(")
    for line in text[start : text.index("\n  } loc", start)].split("\n"):
        if read := re.match(r"    (%\w+) = resnet\.read @(\S+) ", line):
            variables[read.group(1)] = read.group(2)
        elif opened := re.match(r"    (%\w+)(?::(\d+))? = resnet\.fused\(([^)]*)\)", line):
            name, count, operands = opened.groups()
            results = [f"{name}#{i}" for i in range(int(count))] if count else [name]
            kernels.append(Kernel(where, results, operands.split(", ")))
        elif inner := re.match(r"      (?:%.* = )?resnet\.(?!yield)(\w+) .*loc\((#loc\d*)\)$", line):
            kernels[-1].ops.append((inner.group(1), layers.get(inner.group(2), "")))
            where = "backward" if "cross_entropy" in inner.group(1) else where
    return kernels, variables


def place(kernels):
    """The block's kernels by their place, equal ones once."""
    placed = {}
    for kernel in kernels:
        where, layer, op = kernel.key
        key = where, layer.removeprefix(BLOCK), op
        if not layer.startswith(BLOCK):
            continue
        if key not in PLACES:
            sys.exit(f"residual_block.py: the kernel of {' '.join(key)} has no place: give it one in PLACES")
        first = placed.setdefault(key, kernel)
        first.x, first.y, _ = PLACES[key]
        if first is not kernel:
            first.count += 1
            first.operands += kernel.operands
    if gone := [" ".join(key) for key in PLACES if key not in placed]:
        sys.exit(f"residual_block.py: no kernel is left for {', '.join(gone)} of PLACES")
    return placed


def names_of(kernels, variables, placed):
    """What every value is called in the picture."""
    names = {value: name.removeprefix(BLOCK) for value, name in variables.items()}
    for kernel in kernels:
        for number, value in enumerate(kernel.results):
            names[value] = NEIGHBOURS.get((*kernel.key, number))
    for key, kernel in placed.items():
        names |= {value: name.replace("~", " ") for value, name in zip(kernel.results, PLACES[key][2].split())}
    return names


def wrapped(words, width):
    """Lines of words with commas between them."""
    rows = []
    for word in words:
        if rows and len(rows[-1]) + len(word) + 2 <= width / 6.1:
            rows[-1] += f", {word}"
        else:
            rows.append(word)
    return [row + "," for row in rows[:-1]] + rows[-1:]


def lines_of(kernel, names):
    """What is written in a kernel's box: what it reads, and its ops."""
    reads = dict.fromkeys(names.get(value) for value in kernel.operands)  # each once, in order
    reads = [name for name in reads if name and not name.startswith("optimizer.")]
    ops = list(dict.fromkeys(op for op, _ in kernel.ops))
    if kernel.count > 1:
        ops[0] = f"{kernel.count} × {ops[0]}"
    return [("reads", row) for row in wrapped(reads, kernel.width)] + [("op", op) for op in ops]


# What is filled or drawn in which colour, by day and by night.
COLOURS = {
    ".paper": ("fill", "#ffffff", "#0d1117"),
    ".band": ("fill", "#f6f8fa", "#151b23"),
    "text": ("fill", "#1f2328", "#e6edf3"),
    ".reads, .note, .side": ("fill", "#59636e", "#9198a1"),
    ".box rect": ("stroke", "#8c959f", "#656c76"),
    ".convolution rect": ("fill", "#ddf4ff", "#0c2d4d"),
    ".pointwise rect": ("fill", "#dafbe1", "#0f3520"),
    ".small rect": ("fill", "#fff8c5", "#3d2f00"),
    ".pill rect": ("fill", "#ffffff", "#0d1117"),
    ".pill rect, .arrow": ("stroke", "#6e7781", "#8b949e"),
    ".head": ("fill", "#6e7781", "#8b949e"),
    ".pill.kept rect, .arrow.kept": ("stroke", "#8250df", "#c297ff"),
    ".pill.kept text, .head.kept": ("fill", "#8250df", "#c297ff"),
}
SHAPES = """
text { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 12.5px; text-anchor: middle; }
.title { font-size: 17px; font-weight: 600; text-anchor: start; }
.half { font-size: 14px; font-weight: 600; text-anchor: start; }
.note { font-size: 12.5px; text-anchor: start; }
.op { font-size: 12px; }
.reads, .side { font-size: 11px; }
.pill text { font-weight: 600; }
.pill.kept rect { stroke-width: 2; }
.arrow { fill: none; stroke-width: 1.4; }
.arrow.kept { stroke-dasharray: 5 4; }
"""


def style():
    day, night = ("".join(f"{what} {{ {rule[0]}: {rule[i]}; }}\n" for what, rule in COLOURS.items()) for i in (1, 2))
    return f"{SHAPES}{day}@media (prefers-color-scheme: dark) {{\n{night}}}\n"


class Picture:
    """SVG: boxes, pills and arrows; arrows lie below everything else."""

    WIDTH, HEIGHT = 1290, 874
    PILL, PILL_HEIGHT, LINE = 46, 26, 16

    def __init__(self):
        self.below, self.above = [], []

    def text(self, x, y, what, style="op"):
        self.above.append(f'<text class="{style}" x="{x:g}" y="{y:g}">{html.escape(what)}</text>')

    def rectangle(self, left, top, width, height, radius, style):
        return f'<rect class="{style}" x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="{radius}"/>'

    def band(self, top, bottom):
        self.below.append(self.rectangle(12, top, self.WIDTH - 24, bottom - top, 8, "band"))

    def box(self, kernel, lines):
        height = self.LINE * len(lines) + 14
        kernel.top, kernel.bottom = kernel.y - height / 2, kernel.y + height / 2
        kernel.left, kernel.right = kernel.x - kernel.width / 2, kernel.x + kernel.width / 2
        frame = self.rectangle(kernel.left, kernel.top, kernel.width, height, 6, "frame")
        self.above.append(f'<g class="box {kernel.kind}">{frame}</g>')
        for number, (style, line) in enumerate(lines):
            self.text(kernel.x, kernel.top + 7 + self.LINE * (number + 0.75), line, style)

    def pill(self, x, y, name, kept=False):
        frame = self.rectangle(x - self.PILL / 2, y - self.PILL_HEIGHT / 2, self.PILL, self.PILL_HEIGHT, 13, "frame")
        self.above.append(f'<g class="pill{" kept" if kept else ""}">{frame}')
        self.text(x, y + 4.5, name, "name")
        self.above.append("</g>")

    def arrow(self, *points, kept=False):
        """Through the points, with a head in the direction of the last stretch."""
        (x0, y0), (x1, y1) = points[-2:]
        dx, dy = (x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0)
        line = [*points[:-1], (x1 - 7 * dx, y1 - 7 * dy)]
        head = [(x1, y1), (x1 - 8 * dx - 4 * dy, y1 - 8 * dy - 4 * dx), (x1 - 8 * dx + 4 * dy, y1 - 8 * dy + 4 * dx)]
        for shape, style, corners in (("polyline", "arrow", line), ("polygon", "head", head)):
            path = " ".join(f"{x:g},{y:g}" for x, y in corners)
            self.below.append(f'<{shape} class="{style}{" kept" if kept else ""}" points="{path}"/>')

    def print(self):
        print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.WIDTH} {self.HEIGHT}" role="img" '
              'aria-label="The kernels of a residual block, forwards and backwards">')
        print("<!-- Drawn by residual_block.py; not to be edited. -->")
        print(f"<style>{style()}</style>")
        print("\n".join([self.rectangle(0, 0, self.WIDTH, self.HEIGHT, 8, "paper"), *self.below, *self.above]))
        print("</svg>")


class Drawing:
    """The picture of the block: boxes, then tensors, then who reads what."""

    # Heights of the lines that pass over a row, and of the bend of what is kept; and the line down the left margin.
    SKIP, GRADIENT_SKIP, KEPT, MARGIN = 66, 372, 346, 20
    NOTES = (
        "A box is one kernel: what it reads, then its ops. A pill is a tensor of images; "
        "what only neighbours read stays in cache, a piece of the batch at a time.",
        "Blue convolves, green goes over pixels, yellow over channels or filters. "
        "Dashed: kept for the backward half. Σ: sums for batch norm.",
    )
    # Texts beside the tensors that come from other blocks or go there.
    SIDES = (
        (LEFT + 2, FORWARD + 28, "from the"), (LEFT + 2, FORWARD + 41, "one before"),
        (LEFT + 2, BACKWARD + 28, "to the"), (LEFT + 2, BACKWARD + 41, "one before"),
        (RIGHT, FORWARD - 20, "to the next"), (RIGHT, BACKWARD + 46, "of the next"),
    )
    OUTSIDE = {"x": (LEFT, FORWARD), "dz₂ of next": (RIGHT, BACKWARD - 17), "dx of next": (RIGHT, BACKWARD + 17)}

    def __init__(self, placed, names):
        self.kernels, self.names, self.picture = list(placed.values()), names, Picture()
        self.makers = {value: kernel for kernel in self.kernels for value in kernel.results}
        self.readers = {}
        for kernel in self.kernels:
            for value in kernel.operands:
                self.readers.setdefault(value, []).append(kernel)

    def draw(self):
        self.background()
        for kernel in self.kernels:
            self.picture.box(kernel, lines_of(kernel, self.names))
        pills = self.places_of_tensors()
        for value, (x, y) in pills.items():
            self.picture.pill(x, y, self.names[value].removesuffix(" of next"), kept=self.is_kept(value, y))
            self.connect(value, x, y)
        for value, maker in self.makers.items():
            for reader in self.readers.get(value, []) if value not in pills else []:
                self.connect_small(maker, reader)
        self.picture.print()

    def background(self):
        forwards, backwards = (sum(kernel.count for kernel in self.kernels if kernel.where == where)
                               for where in ("forward", "backward"))
        self.picture.band(48, 306)
        self.picture.band(330, 818)
        title = f"One residual block in a training step: {forwards} kernels forwards, {backwards} backwards"
        self.picture.text(24, 32, title, "title")
        self.picture.text(562, 84, "forwards", "half")
        self.picture.text(30, 804, "backwards", "half")
        for number, note in enumerate(self.NOTES):
            self.picture.text(24, 842 + 18 * number, note, "note")
        for x, y, what in self.SIDES:
            self.picture.text(x, y, what, "side")

    def places_of_tensors(self):
        """Tensors of images stand between the kernel that makes them and the next in its row, else at the row's end."""
        outside = (value for value in self.readers if self.names.get(value) in self.OUTSIDE)
        places = {value: self.OUTSIDE[self.names[value]] for value in outside}
        for maker in self.kernels:
            if maker.kind == "small" or maker.key[2] == "conv2d_grad_weight":
                continue
            after = [reader.x for reader in self.readers.get(maker.results[0], []) if reader.y == maker.y]
            end = LEFT if maker.where == "backward" else RIGHT
            places[maker.results[0]] = ((maker.x + after[0]) / 2 if after else end, maker.y)
        return places

    def is_kept(self, value, y):
        return y == FORWARD and any(reader.where == "backward" for reader in self.readers.get(value, []))

    def connect(self, value, x, y):
        """A tensor with its maker and its readers."""
        half, arrow = Picture.PILL / 2, self.picture.arrow
        if maker := self.makers.get(value):
            arrow((maker.right, y), (x - half, y)) if x > maker.x else arrow((maker.left, y), (x + half, y))
        if self.names[value] == "dz₂":  # the shortcut's gradient
            arrow((x, y - Picture.PILL_HEIGHT / 2), (x, self.GRADIENT_SKIP), (LEFT + half, self.GRADIENT_SKIP))
            self.picture.pill(LEFT, self.GRADIENT_SKIP, "dz₂")
        for reader in self.readers.get(value, []):
            if y == FORWARD and reader.where == "backward":
                self.keep(x, y, reader)
            else:
                self.hand_over(x, y, reader)

    def hand_over(self, x, y, reader):
        """From the tensor at x, y to a reader in the same half."""
        half, height, arrow = Picture.PILL / 2, Picture.PILL_HEIGHT / 2, self.picture.arrow
        if abs(reader.y - y) > 20:  # the gradient of a filter stands below its operand
            arrow((x, y + height), (x, reader.top))
        elif abs(reader.x - x) > 150:  # the shortcut
            arrow((x, y - height), (x, self.SKIP), (reader.x + 30, self.SKIP), (reader.x + 30, reader.top))
        elif reader.x > x:
            arrow((x + half, y), (reader.left, y))
        else:
            arrow((x - half, y), (reader.right, y))

    def keep(self, x, y, reader):
        """From the tensor at x, y down to its reader in the other half."""
        arrow, bottom = self.picture.arrow, y + Picture.PILL_HEIGHT / 2
        if x == LEFT:  # down the margin
            left = x - Picture.PILL / 2
            arrow((left, y), (self.MARGIN, y), (self.MARGIN, reader.y), (reader.left, reader.y), kept=True)
        elif reader.left + 10 < x < reader.right - 10:
            arrow((x, bottom), (x, reader.top), kept=True)
        else:
            at = reader.x + (16 if x > reader.x else -16)
            arrow((x, bottom), (x, self.KEPT), (at, self.KEPT), (at, reader.top), kept=True)

    def connect_small(self, maker, reader):
        """Sums, coefficients and filters, within a half of the step: straight on, or round one corner."""
        if maker.where != reader.where:
            return
        arrow, right, down = self.picture.arrow, maker.x < reader.x, maker.y < reader.y
        out_side, in_side = (maker.right, reader.left) if right else (maker.left, reader.right)
        out_end, in_end = (maker.bottom, reader.top) if down else (maker.top, reader.bottom)
        if maker.x == reader.x:
            arrow((maker.x, out_end), (reader.x, in_end))
        elif maker.y == reader.y:
            arrow((out_side, maker.y), (in_side, reader.y))
        elif maker.y in (FORWARD, BACKWARD):
            arrow((maker.x, out_end), (maker.x, reader.y), (in_side, reader.y))
        else:
            arrow((out_side, maker.y), (reader.x, maker.y), (reader.x, in_end))


def main():
    kernels, variables = parse(sys.stdin.read())
    placed = place(kernels)
    Drawing(placed, names_of(kernels, variables, placed)).draw()


if __name__ == "__main__":
    main()
