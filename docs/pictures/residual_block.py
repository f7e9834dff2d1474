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
# A kernel: (where in the step, the layer within the block, the op that names it): (x, y, names of its results).
PLACES = {
    ("forward", "conv1", "conv2d"): (156, FORWARD, ["y₁", "Σy₁", "Σy₁²"]),
    ("forward", "bn1", "batch_norm_finalize"): (300, FINALIZE, ["multiplier₁", "addend₁", "mean₁", "variance₁", "", ""]),
    ("forward", "relu1", "relu"): (444, FORWARD, ["r₁"]),
    ("forward", "conv2", "conv2d"): (736, FORWARD, ["y₂", "Σy₂", "Σy₂²"]),
    ("forward", "bn2", "batch_norm_finalize"): (880, FINALIZE, ["multiplier₂", "addend₂", "mean₂", "variance₂", "", ""]),
    ("forward", "relu2", "relu"): (1024, FORWARD, ["out"]),
    ("backward", "relu2", "relu_grad"): (1126, BACKWARD, ["dz₂", "Σdz₂", "Σdz₂y₂"]),
    ("backward", "bn2", "batch_norm_grad_finalize"): (1026, FINALIZE_GRADIENT, ["a₂", "b₂", "c₂", "d bn2.weight", "d bn2.bias"]),
    ("backward", "bn2", "affine_combine"): (930, BACKWARD, ["dy₂"]),
    ("backward", "conv2", "relayout"): (736, FINALIZE_GRADIENT, ["conv2.weightᵀ"]),
    ("backward", "conv2", "conv2d_grad_data"): (736, BACKWARD, ["dr₁"]),
    ("backward", "relu1", "relu"): (624, FILTERS, ["r₁"]),
    ("backward", "conv2", "conv2d_grad_weight"): (833, FILTERS, ["lanes₂"]),
    ("backward", "conv2", "batch_sum"): (833, UPDATES, ["d conv2.weight"]),
    ("backward", "conv2", "sgd"): (1026, UPDATES, ["", ""]),
    ("backward", "bn2", "sgd"): (1026, FILTERS, ["", ""]),
    ("backward", "relu1", "relu_grad"): (538, BACKWARD, ["dz₁", "Σdz₁", "Σdz₁y₁"]),
    ("backward", "bn1", "batch_norm_grad_finalize"): (442, FINALIZE_GRADIENT, ["a₁", "b₁", "c₁", "d bn1.weight", "d bn1.bias"]),
    ("backward", "bn1", "affine_combine"): (348, BACKWARD, ["dy₁"]),
    ("backward", "conv1", "relayout"): (156, FINALIZE_GRADIENT, ["conv1.weightᵀ"]),
    ("backward", "conv1", "conv2d_grad_data"): (156, BACKWARD, ["dx"]),
    ("backward", "conv1", "conv2d_grad_weight"): (252, FILTERS, ["lanes₁"]),
    ("backward", "conv1", "batch_sum"): (252, UPDATES, ["d conv1.weight"]),
    ("backward", "conv1", "sgd"): (442, UPDATES, ["", ""]),
    ("backward", "bn1", "sgd"): (442, FILTERS, ["", ""]),
}
# What the block reads of its neighbours: (where, layer, op, number of the result): its name here.
NEIGHBOURS = {
    ("forward", BEFORE + "relu2", "relu", 0): "x",
    ("backward", AFTER + "relu2", "relu_grad", 0): "dz₂ of next",
    ("backward", AFTER + "conv1", "conv2d_grad_data", 0): "dx of next",
}
RIDERS = {"channel_sum", "channel_dot", "running_average"}  # ops that name no kernel
KIND = {"conv2d": "convolution", "conv2d_grad_data": "convolution", "conv2d_grad_weight": "convolution", "relu": "pointwise",
        "relu_grad": "pointwise", "affine_combine": "pointwise"}  # all others: small


class Kernel:
    def __init__(self, results, operands):
        self.results, self.operands, self.ops, self.count = results, operands, [], 1

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


def parse(text):
    """The kernels of the function in program order, and the name of each variable that is read."""
    layers = {}
    for name, what in re.findall(r"^(#loc\d*) = loc\(fused(.*)\)$", text, re.MULTILINE):
        quoted = re.match(r'<"([^"]+)">', what)
        layers[name] = quoted.group(1) if quoted else layers[re.search(r"#loc\d+", what).group(0)]
    start = text.index(f"func.func @{FUNCTION}(")
    kernels, variables, where = [], {}, "forward"
    for line in text[start : text.index("\n  } loc", start)].split("\n"):
        read = re.match(r"    (%\w+) = resnet\.read @(\S+) ", line)
        opened = re.match(r"    (%\w+)(?::(\d+))? = resnet\.fused\(([^)]*)\)", line)
        inner = re.match(r"      (?:%.* = )?resnet\.(\w+) .*loc\((#loc\d*)\)$", line)
        if read:
            variables[read.group(1)] = read.group(2)
        elif opened:
            name, count, operands = opened.groups()
            kernels.append(Kernel([f"{name}#{i}" for i in range(int(count))] if count else [name], operands.split(", ")))
            kernels[-1].where = where
        elif inner and inner.group(1) != "yield":
            kernels[-1].ops.append((inner.group(1), layers.get(inner.group(2), "")))
            where = "backward" if "cross_entropy" in inner.group(1) else where
    return kernels, variables


def of_block(kernels, variables):
    """The block's kernels by place, equal ones once, and what every value is called."""
    names = {value: name.removeprefix(BLOCK) for value, name in variables.items()}
    placed = {}
    for kernel in kernels:
        where, layer, op = kernel.key
        for number, value in enumerate(kernel.results):
            names.setdefault(value, NEIGHBOURS.get((where, layer, op, number)))
        if not layer.startswith(BLOCK):
            continue
        place = where, layer.removeprefix(BLOCK), op
        if place not in PLACES:
            sys.exit(f"residual_block.py: the kernel of {' '.join(place)} has no place in the picture: give it one in PLACES")
        names.update({value: name for value, name in zip(kernel.results, PLACES[place][2]) if name})
        if place in placed:
            placed[place].count += 1
            placed[place].operands += kernel.operands
        else:
            placed[place] = kernel
            kernel.x, kernel.y, _ = PLACES[place]
    gone = [" ".join(place) for place in PLACES if place not in placed]
    if gone:
        sys.exit(f"residual_block.py: no kernel is left for {', '.join(gone)} of PLACES")
    return placed, names


def lines_of(kernel, names):
    """What is written in a kernel's box: what it reads, and its ops."""
    reads = []
    for value in kernel.operands:
        name = names.get(value) or ""
        if name and name not in reads and not name.startswith("optimizer.") and name != "learning_rate":
            reads.append(name)
    rows = [""]
    for name in reads:
        longer = f"{rows[-1]}, {name}" if rows[-1] else name
        if len(longer) > kernel.width / 6.1 and rows[-1]:
            rows[-1] += ","
            rows.append(name)
        else:
            rows[-1] = longer
    ops = []
    for op, _ in kernel.ops:
        if op != "running_average" or op not in ops:
            ops.append(op)
    if kernel.count > 1:
        ops[0] = f"{kernel.count} × {ops[0]}"
    return [("reads", row) for row in rows if row] + [("op", op) for op in ops]


# What is filled or drawn in which colour, by day and by night.
COLOURS = {
    ".paper": ("fill", "#ffffff", "#0d1117"), ".band": ("fill", "#f6f8fa", "#151b23"), "text": ("fill", "#1f2328", "#e6edf3"),
    ".reads, .note, .side": ("fill", "#59636e", "#9198a1"), ".box rect": ("stroke", "#8c959f", "#656c76"),
    ".convolution rect": ("fill", "#ddf4ff", "#0c2d4d"), ".pointwise rect": ("fill", "#dafbe1", "#0f3520"), ".small rect": ("fill", "#fff8c5", "#3d2f00"),
    ".pill rect": ("fill", "#ffffff", "#0d1117"), ".pill rect, .arrow": ("stroke", "#6e7781", "#8b949e"), ".head": ("fill", "#6e7781", "#8b949e"),
    ".pill.kept rect, .arrow.kept": ("stroke", "#8250df", "#c297ff"), ".pill.kept text, .head.kept": ("fill", "#8250df", "#c297ff"),
}
SHAPES = """
text { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 12.5px; text-anchor: middle; }
.op { font-size: 12px; } .reads, .side { font-size: 11px; } .note { font-size: 12.5px; text-anchor: start; } .pill text { font-weight: 600; }
.title { font-size: 17px; font-weight: 600; text-anchor: start; } .half { font-size: 14px; font-weight: 600; text-anchor: start; }
.arrow { fill: none; stroke-width: 1.4; } .arrow.kept { stroke-dasharray: 5 4; } .pill.kept rect { stroke-width: 2; }
"""


def style():
    day, night = ("".join(f"{what} {{ {rule[0]}: {rule[i]}; }}\n" for what, rule in COLOURS.items()) for i in (1, 2))
    return f"{SHAPES}{day}@media (prefers-color-scheme: dark) {{\n{night}}}\n"


class Picture:
    WIDTH, HEIGHT = 1290, 874
    PILL, PILL_HEIGHT, LINE = 46, 26, 16

    def __init__(self):
        self.below, self.above = [], []

    def text(self, x, y, what, style="op"):
        self.above.append(f'<text class="{style}" x="{x:g}" y="{y:g}">{html.escape(what)}</text>')

    def box(self, kernel, lines):
        kernel.height = self.LINE * len(lines) + 14
        kernel.top, kernel.bottom = kernel.y - kernel.height / 2, kernel.y + kernel.height / 2
        kernel.left, kernel.right = kernel.x - kernel.width / 2, kernel.x + kernel.width / 2
        self.above.append(f'<g class="box {kernel.kind}"><rect x="{kernel.left:g}" y="{kernel.top:g}" width="{kernel.width}" height="{kernel.height:g}" rx="6"/></g>')
        for number, (style, line) in enumerate(lines):
            self.text(kernel.x, kernel.top + 7 + self.LINE * (number + 0.75), line, style)

    def pill(self, x, y, name, kept=False, width=PILL):
        self.above.append(f'<g class="pill{" kept" if kept else ""}"><rect x="{x - width / 2:g}" y="{y - self.PILL_HEIGHT / 2:g}" width="{width}" '
                          f'height="{self.PILL_HEIGHT}" rx="13"/><text x="{x:g}" y="{y + 4.5:g}">{html.escape(name)}</text></g>')

    def arrow(self, *points, kept=False):
        """Through points; it ends in a head, whose direction is the last stretch's."""
        (x0, y0), (x1, y1) = points[-2:]
        dx, dy = (x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0)
        style = " kept" if kept else ""
        path = " ".join(f"{x:g},{y:g}" for x, y in [*points[:-1], (x1 - 7 * dx, y1 - 7 * dy)])
        self.below.append(f'<polyline class="arrow{style}" points="{path}"/>')
        corners = [(x1, y1), (x1 - 8 * dx - 4 * dy, y1 - 8 * dy - 4 * dx), (x1 - 8 * dx + 4 * dy, y1 - 8 * dy + 4 * dx)]
        self.below.append(f'<polygon class="head{style}" points="{" ".join(f"{x:g},{y:g}" for x, y in corners)}"/>')

    def print(self):
        print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.WIDTH} {self.HEIGHT}" role="img" '
              'aria-label="The kernels of a residual block, forwards and backwards">')
        print("<!-- Drawn by residual_block.py; not to be edited. -->")
        print(f"<style>{style()}</style>")
        print(f'<rect class="paper" width="{self.WIDTH}" height="{self.HEIGHT}" rx="8"/>')
        print("\n".join(self.below + self.above))
        print("</svg>")


class Drawing:
    """The picture of the block: boxes, then tensors, then who reads what."""

    SKIP, GRADIENT_SKIP, KEPT = 66, 372, 346  # heights of what passes over a row, and of the bend of what is kept
    MARGIN = 20

    def __init__(self, placed, names):
        self.placed, self.names, self.picture = placed, names, Picture()
        self.makers = {value: kernel for kernel in placed.values() for value in kernel.results}
        self.readers = {}
        for kernel in placed.values():
            for value in kernel.operands:
                self.readers.setdefault(value, []).append(kernel)

    def draw(self):
        self.background()
        for kernel in self.placed.values():
            self.picture.box(kernel, lines_of(kernel, self.names))
        self.tensors()
        for value, at in self.pills.items():
            self.connect(value, *at)
        for value, maker in self.makers.items():
            if value not in self.pills:
                for reader in self.readers.get(value, []):
                    self.connect_small(maker, reader)
        self.picture.print()

    def background(self):
        for top, bottom in ((48, 306), (330, 818)):
            self.picture.below.append(f'<rect class="band" x="12" y="{top}" width="{Picture.WIDTH - 24}" height="{bottom - top}" rx="8"/>')
        forward = sum(where == "forward" for where, _, _ in self.placed)
        self.picture.text(24, 32, f"One residual block in a training step: {forward} kernels forwards, {sum(k.count for k in self.placed.values()) - forward} backwards", "title")
        self.picture.text(562, 84, "forwards", "half")
        self.picture.text(30, 804, "backwards", "half")
        self.picture.text(24, 842, "A box is one kernel: what it reads, then its ops. A pill is a tensor of images; what only neighbours read stays in cache, a piece of the batch at a time.", "note")
        self.picture.text(24, 860, "Blue convolves, green goes over pixels, yellow over channels or filters. Dashed: kept for the backward half. Σ: sums for batch norm.", "note")

    def tensors(self):
        """Where the tensors of images stand: between the kernel that makes them and the next in its row, else at its end."""
        self.pills = {}
        for maker in self.placed.values():
            value = maker.results[0]
            if maker.kind == "small" or maker.key[2] == "conv2d_grad_weight":
                continue
            next_ones = [reader.x for reader in self.readers.get(value, []) if reader.y == maker.y]
            end = LEFT if maker.where == "backward" else RIGHT
            self.pills[value] = ((maker.x + next_ones[0]) / 2 if next_ones else end, maker.y)
        outside = [value for value in self.readers if self.names.get(value) in NEIGHBOURS.values()]
        for value in outside:
            name = self.names[value]
            self.pills[value] = {"x": (LEFT, FORWARD), "dz₂ of next": (RIGHT, BACKWARD - 17)}.get(name, (RIGHT, BACKWARD + 17))
        for value, (x, y) in self.pills.items():
            self.picture.pill(x, y, self.names[value].removesuffix(" of next"), kept=self.is_kept(value))
        for x, y, what in ((LEFT + 2, FORWARD + 28, "from the"), (LEFT + 2, FORWARD + 41, "one before"), (RIGHT, FORWARD - 20, "to the next"),
                           (RIGHT, BACKWARD + 46, "of the next"), (LEFT + 2, BACKWARD + 28, "to the"), (LEFT + 2, BACKWARD + 41, "one before")):
            self.picture.text(x, y, what, "side")

    def is_kept(self, value):
        return self.pills[value][1] == FORWARD and any(reader.where == "backward" for reader in self.readers.get(value, []))

    def connect(self, value, x, y):
        half, height, arrow = Picture.PILL / 2, Picture.PILL_HEIGHT / 2, self.picture.arrow
        maker = self.makers.get(value)
        if maker:
            to_right = x > maker.x
            arrow((maker.right if to_right else maker.left, y), (x - half if to_right else x + half, y))
        if self.names[value] == "dz₂":  # the shortcut's gradient
            arrow((x, y - height), (x, self.GRADIENT_SKIP), (LEFT + half, self.GRADIENT_SKIP))
            self.picture.pill(LEFT, self.GRADIENT_SKIP, "dz₂")
        for reader in self.readers.get(value, []):
            if reader.where == "backward" and y == FORWARD:
                self.keep(x, y + height, reader)
            elif abs(reader.y - y) > 20:  # a filter's gradient, under its operand
                arrow((x, y + height), (x, reader.top))
            elif abs(reader.x - x) > 150:  # the shortcut
                arrow((x, y - height), (x, self.SKIP), (reader.x + 30, self.SKIP), (reader.x + 30, reader.top))
            else:
                arrow((x + half if reader.x > x else x - half, y), (reader.left if reader.x > x else reader.right, y))

    def keep(self, x, y, reader):
        """From below the tensor at x, y down to its reader in the other half."""
        arrow, bend = self.picture.arrow, lambda at: ((x, self.KEPT), (at, self.KEPT), (at, reader.top))
        if x == LEFT:  # down the margin
            middle = y - Picture.PILL_HEIGHT / 2
            arrow((x - Picture.PILL / 2, middle), (self.MARGIN, middle), (self.MARGIN, reader.y), (reader.left, reader.y), kept=True)
        elif reader.left + 10 < x < reader.right - 10:
            arrow((x, y), (x, reader.top), kept=True)
        else:
            arrow((x, y), *bend(reader.x + (16 if x > reader.x else -16)), kept=True)

    def connect_small(self, maker, reader):
        """Sums, coefficients and filters, within a half of the step: across, or round one corner."""
        arrow = self.picture.arrow
        if maker.where != reader.where:
            return
        if maker.x == reader.x:
            arrow((maker.x, maker.bottom if maker.y < reader.y else maker.top), (reader.x, reader.top if maker.y < reader.y else reader.bottom))
        elif maker.y == reader.y:
            arrow((maker.right, maker.y), (reader.left, reader.y))
        elif maker.y in (FORWARD, BACKWARD):
            arrow((maker.x, maker.top if reader.y < maker.y else maker.bottom), (maker.x, reader.y), (reader.left if maker.x < reader.x else reader.right, reader.y))
        else:
            arrow((maker.right if maker.x < reader.x else maker.left, maker.y), (reader.x, maker.y), (reader.x, reader.bottom if reader.y < maker.y else reader.top))


def main():
    Drawing(*of_block(*parse(sys.stdin.read()))).draw()


if __name__ == "__main__":
    main()
