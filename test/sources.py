#!/usr/bin/env python3
"""How long sources are: sources.py [ROOT] prints every line and file that is too long, and fails if there is one.

No line is beyond 120 columns but for what cannot be broken: a diagnostic that a test expects, a line that FileCheck
looks for in any order, and a kernel's spec in quotes. Outside of test/ no file has more than 400 lines, and half of
them have 100 at most.
Pages, which wrap as they are shown, and files of data are left out.
"""

import pathlib
import re
import statistics
import sys

COLUMNS, LINES, MEDIAN = 120, 400, 100
UNBREAKABLE = re.compile(r'expected-|-DAG: |"\((f32|f64)\[')
SOURCES = {".td", ".cpp", ".h", ".c", ".in", ".mlir", ".resin", ".test", ".py", ".cmake", ".txt", ".sh"}
NO_SOURCES = re.compile(r"(\.git|\.deps|build[^/]*)/")


def sources(root):
    for file in sorted(root.rglob("*")):
        name = file.relative_to(root).as_posix()
        if file.suffix in SOURCES and not NO_SOURCES.match(name) and file.is_file() and not file.is_symlink():
            yield name, file.read_text().splitlines()


def long_lines(files):
    for name, lines in files:
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS and not UNBREAKABLE.search(line):
                yield f"{name}:{number}: error: {len(line)} columns, more than {COLUMNS}: wrap it"


def long_files(files):
    sizes = {name: len(lines) for name, lines in files if not name.startswith("test/")}
    for name, size in sizes.items():
        if size > LINES:
            yield f"{name}:{LINES + 1}: error: {size} lines, more than {LINES}: there are two files inside"
    if sizes and statistics.median(sizes.values()) > MEDIAN:
        yield f"error: half of the files have {statistics.median(sizes.values()):g} lines or more, above {MEDIAN}"


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent
    files = list(sources(root.resolve()))
    found = [*long_lines(files), *long_files(files)]
    print("\n".join(found) or f"{len(files)} files, no line and no file too long")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
