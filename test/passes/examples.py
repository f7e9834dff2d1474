"""What Passes.td and KernelPasses.td say about their passes, as a test: examples.py BUILD-TOOL TD...

Every pass has a summary, a description and an example, and each of its options says what it does. An example is

    lines of the pass's test `<flag>.mlir`
    // becomes ...
    lines of what the pass makes of that test

in order and with gaps; `...` stands for the rest of a line or for a part of it. A gate's example ends in
`// is refused: MESSAGE`, which one of the `expected-error`s in its tests `<flag>*.mlir` contains.
"""

import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def passes(path):
    """(flag, body) of each pass."""
    for chunk in re.split(r"^def ", pathlib.Path(path).read_text(), flags=re.M)[1:]:
        head = re.match(r'\w+ : \w+<"([\w-]+)"', chunk)
        if head:
            yield head.group(1), chunk


def plain(line):
    """Without the names of values and the digits of numbers that printing adds."""
    line = re.sub(r"%\w+(:\d+)?(, %\w+)* = ", "", line.strip())
    line = re.sub(r"%\w+(#\d+)?", "%", line)
    return re.sub(r"\d+\.\d+(e[-+]?\d+)?", lambda number: repr(float(number[0])), line)


def pattern(line):
    return ".*".join(re.escape(part) for part in re.split(r"\s*\.\.\.\s*", plain(line)))


def statements(text):
    """Lines without comments. One four deeper than the one before, if that opens no block, goes on with it."""
    joined, depth = [], 0
    for line in text.splitlines():
        if line.lstrip().startswith("//"):
            continue
        indent = len(line) - len(line.lstrip())
        if joined and indent >= depth + 4 and not joined[-1].endswith("{"):
            joined[-1] += " " + line.strip()
        else:
            joined.append(line)
            depth = indent
    return joined


def missing(example, text):
    """The first line of the example that is not in the text behind those before it."""
    lines = iter(plain(line) for line in statements(text))
    for line in example:
        if not any(re.fullmatch(pattern(line), other) for other in lines):
            return line
    return None


def output(tool, flag):
    test = HERE / f"{flag}.mlir"
    text = test.read_text().replace("\\\n// RUN:", "")
    command = re.search(r"// RUN: resin-opt %s ([^|\n]*)", text).group(1).split()
    return subprocess.run([tool, test, *command], capture_output=True, text=True, check=False).stdout


def problem(tool, flag, body):
    if not re.search(r'let summary = "[^"]{10,}"', body):
        return "has no summary"
    if re.search(r'Option<[^>]*,\s*""\s*>', body):
        return "has an option that does not say what it does"
    description = re.search(r"let description = \[\{(.*?)\}\];", body, flags=re.S)
    example = description and re.search(r"```mlir\n(.*?)```", description.group(1), flags=re.S)
    if not example:
        return "has no example"
    lines = [line for line in example.group(1).splitlines() if line.strip()]
    turns = [i for i, line in enumerate(lines) if line.lstrip().startswith("//")]
    if not turns:
        return "has an example without '// becomes' or '// is refused'"
    before, after = lines[: turns[0]], [line for line in lines[turns[0] :] if not line.lstrip().startswith("//")]
    tests = sorted(HERE.glob(f"{flag}*.mlir"))
    refused = re.match(r"\s*// is refused: (.*)", lines[turns[0]])
    if refused:
        fit = [test for test in tests if refused.group(1) in "".join(re.findall(r"expected-error.*", test.read_text()))]
        return (
            None
            if any(not missing(before, test.read_text()) for test in fit)
            else "refuses nothing like its example in a test"
        )
    line = missing(before, (HERE / f"{flag}.mlir").read_text())
    if line:
        return f"has an example that is not in its test: {line.strip()}"
    line = missing(after, output(tool, flag))
    return f"does not make what its example says: {line.strip()}" if line else None


def main():
    tool, *files = sys.argv[1:]
    problems = [
        f"{flag} {what}" for file in files for flag, body in passes(file) if (what := problem(tool, flag, body))
    ]
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
