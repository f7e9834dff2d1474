#!/usr/bin/env python3
"""Who may include whom: layering.py [ROOT] prints every include that points sideways or up, or in a circle, and fails
if there is one."""

import graphlib
import pathlib
import re
import sys

# What a pass may include; and one of a phase what is known to all phases, but nothing of another phase.
PASSES = ["support", "machine", "dialects/Resnet", "dialects/Kernel", "runtime/Abi.h"]
PHASES = {f"passes/{phase}": [*PASSES, "passes"] for phase in ("train", "layout", "fuse", "plan")}
# Each folder and the project folders its files may include besides their own.
MAY_INCLUDE = {
    "support": [],
    "machine": ["support"],
    "runtime": ["support"],
    "codegen": ["support", "machine"],
    "codegen/host": ["support", "machine", "codegen", "dialects/Resnet", "dialects/Kernel", "runtime/Abi.h"],
    "dialects/Resnet": ["support", "machine"],
    "dialects/Kernel": ["support", "dialects/Resnet"],
    "frontend": ["support", "dialects/Resnet"],
    "passes": PASSES,
    **PHASES,
    "tuning": ["support", "machine", "codegen", "dialects/Resnet"],
    "driver": [
        "support",
        "machine",
        "codegen",
        "codegen/host",
        "tuning",
        "dialects/Resnet",
        "dialects/Kernel",
        "frontend",
        "passes",
    ],
    "tools": ["support", "machine", "dialects/Resnet", "dialects/Kernel", "passes", "driver"],
}
# Third-party headers that only some folders may see.
ONLY_IN = {
    "mlir/": ["dialects/Resnet", "dialects/Kernel", "frontend", "passes", *PHASES, "codegen/host", "driver", "tools"],
    "Halide": ["codegen"],
}
# Where no files include each other in a circle; a source counts with its header.
FREE_OF_CIRCLES = ["codegen", "runtime", "machine", "dialects", "passes", "tuning", "tools"]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def owner(path):
    """The longest folder of MAY_INCLUDE that holds the file, or none."""
    return max((folder for folder in MAY_INCLUDE if path.startswith(folder + "/")), key=len, default=None)


def violations(root):
    for file in sorted(root.rglob("*")):
        name = file.relative_to(root).as_posix()
        folder = owner(name)
        if folder is None or file.suffix not in (".h", ".cpp"):
            continue
        for included in INCLUDE.findall(file.read_text()):
            target = owner(included)
            if (
                target
                and target != folder
                and not any(
                    included.startswith(allowed) and owner(included) in (allowed, owner(allowed))
                    for allowed in MAY_INCLUDE[folder]
                )
            ):
                yield f"{name}: includes {included}: {folder}/ may not see {target}/"
            for prefix, folders in ONLY_IN.items():
                if included.startswith(prefix) and folder not in folders:
                    yield f"{name}: includes {included}: only {', '.join(folders)} may"


def circles(root):
    includes = {}
    for folder in FREE_OF_CIRCLES:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in (".h", ".cpp"):
                name = file.relative_to(root).with_suffix("").as_posix()
                others = {included.rsplit(".", 1)[0] for included in INCLUDE.findall(file.read_text())} - {name}
                includes.setdefault(name, set()).update(others)
    try:
        graphlib.TopologicalSorter(includes).prepare()
    except graphlib.CycleError as error:
        yield "these include each other: " + ", ".join(error.args[1])


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    found = [*violations(root), *circles(root)]
    print("\n".join(found) or "every include points down")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
