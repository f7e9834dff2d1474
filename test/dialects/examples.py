"""What ResnetOps.td and the families that it includes say about their ops, as tests.

examples.py wrap TD           prints a module with every op's example, each in a function whose arguments are what the
                              example uses
examples.py printed TD FILE   fails unless FILE, resin-opt's print of that module, shows every example as TD does, but
                              for the values' names and the digits of numbers
examples.py constraints TD SOURCES TESTS
                              fails unless every constraint (C<n>) of an op is marked `<op>_c<n>` in SOURCES/*.cpp and
                              tested by `@<op>_c<n>` in TESTS/*-errors.mlir, and none is marked that TD does not state
"""

import pathlib
import re
import sys

# Ops that make sense only together with symbols: their tests write them out.
WITHOUT_EXAMPLE = {"read", "write", "batch_norm", "yield"}


def ops(path):
    """(mnemonic, description) of each op."""
    path = pathlib.Path(path)
    families = re.findall(r'^include "(\w+Ops\.td)"$', path.read_text(), flags=re.M)
    text = "".join((path.parent / family).read_text() for family in families)
    for chunk in re.split(r"^def Resnet_", text, flags=re.M)[1:]:
        head = re.match(r'\w+Op\s*: \w+<"(\w+)"', chunk)
        if head:
            description = re.search(r"let description = \[\{(.*?)\}\];\n", chunk, flags=re.S)
            yield head.group(1), description.group(1) if description else ""


def examples(path):
    for name, description in ops(path):
        example = re.search(r"```mlir\n(.*?)```", description, flags=re.S)
        if example:
            yield name, example.group(1).strip()
        elif name not in WITHOUT_EXAMPLE:
            sys.exit(f"resnet.{name} has no example")


def wrap(path):
    for name, example in examples(path):
        if name == "variable":
            print(example)
            continue
        head = re.sub(r"\s+", " ", example.split("{\n")[0]).strip()
        uses, types = head.split(" = ", 1)[1].split(" : ", 1)
        operands = list(dict.fromkeys(re.findall(r"%\w+", uses)))
        types = re.findall(r"tensor<[^<>]*(?:<[^<>]*>)?>", types)[: len(operands)]
        arguments = ", ".join(f"{operand}: {type}" for operand, type in zip(operands, types))
        print(f"func.func @{name}({arguments}) {{\n    {example}\n    return\n}}")


def unnamed(text):
    """Without the names of values, and a line each."""
    return re.sub(r"\s+", " ", re.sub(r"%\w+(:\d+)?(, %\w+)* = ", "", text).replace("^bb0", "")).strip()


def printed(path, file):
    number = lambda match: repr(float(match[0]))
    shape = lambda text: re.sub(r"\d+\.\d+(e[-+]\d+)?", number, re.sub(r"%\w+", "%", unnamed(text)))
    output = shape(pathlib.Path(file).read_text())
    missing = [name for name, example in examples(path) if shape(example) not in output]
    if missing:
        sys.exit("printed otherwise than in their examples: " + ", ".join(missing))


def constraints(path, sources, tests):
    stated = {
        f"{name}_c{number}" for name, description in ops(path) for number in re.findall(r"\* \(C(\d+)\)", description)
    }
    code = "".join(file.read_text() for file in sorted(pathlib.Path(sources).glob("*.cpp")))
    marked = set(re.findall(r"\b[a-z0-9_]+_c\d+\b", " ".join(re.findall(r"// ([a-z0-9_, ]+_c\d+)", code))))
    tested = set(
        re.findall(
            r"@([a-z0-9_]+_c\d+)\b",
            "".join(
                file.read_text()
                for file in sorted(pathlib.Path(tests).glob("*-errors.mlir"))
                if file.name != "kernel-errors.mlir"
            ),
        )
    )
    layout = {name for name in marked | tested if name.startswith("layout_")}  # the attribute's, in ResnetDialect.td
    problems = [
        f"{kind}: {', '.join(sorted(names))}"
        for kind, names in [
            ("stated but not marked in the code", stated - marked),
            ("stated but not tested", stated - tested),
            ("marked but not stated", marked - stated - layout),
            ("tested but not stated", tested - stated - layout),
        ]
        if names
    ]
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    {"wrap": wrap, "printed": printed, "constraints": constraints}[sys.argv[1]](*sys.argv[2:])
