#!/usr/bin/env python3
"""Runs the snippets of docs/Language.md through `resin check`.

  ```resin             a whole file, without a mistake
  ```resin-body        statements of a model's body on `x`, an image [3, 32, 32]
  ```resin-error       as the above, with the mistakes that its lines "# error: ..." say
  ```resin-body-error
"""

import pathlib
import re
import subprocess
import sys
import tempfile

BODY = (
    "model snippet(image: [3, 32, 32]) -> [10] {{\n  x = image\n{}\n  return x |> global_avg_pool |> linear(10)\n}}\n"
)


def check(resin, text):
    with tempfile.NamedTemporaryFile("w", suffix=".resin") as file:
        file.write(text)
        file.flush()
        run = subprocess.run([*resin, "check", file.name], capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def main():
    document, *resin = sys.argv[1:]
    text = pathlib.Path(document).read_text()
    wrong = count = 0
    for snippet in re.finditer(r"^```resin(-body)?(-error)?\n(.*?)^```$", text, re.M | re.S):
        is_body, is_error, source = snippet.groups()
        code, output = check(resin, BODY.format(source) if is_body else source)
        expected = re.findall(r"^# (error: .*)$", source, re.M) if is_error else []
        count += 1
        if (code != 0) != bool(is_error) or not all(message in output for message in expected):
            wrong += 1
            print(f"{document}:{text[:snippet.start()].count(chr(10)) + 1}: resin check ended with {code}:\n{output}")
    print(f"{count} snippets, {wrong} wrong")
    sys.exit(1 if wrong or not count else 0)


if __name__ == "__main__":
    main()
