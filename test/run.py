#!/usr/bin/env python3
"""Runs the lit tests and the unit tests of a build folder and adds them up: the last line is "N passed, N failed"."""

import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree


def run_lit(build, folder):
    report = folder / "lit.json"
    lit = build / "test" / "lit.site.cfg.py"
    subprocess.run(["/usr/lib/llvm-22/bin/lit", "-sv", f"--output={report}", str(lit.parent)], check=False)
    if not report.exists():
        return 0, 1
    codes = [test["code"] for test in json.loads(report.read_text())["tests"]]
    unsupported = sum(code == "UNSUPPORTED" for code in codes)
    passed = sum(code in ("PASS", "XFAIL") for code in codes)
    if unsupported:
        print(f"lit: {unsupported} unsupported on this machine")
    return passed, len(codes) - passed - unsupported


def run_unit(build, folder):
    """A test executable's cases count one by one; one that dies counts as a failure."""
    passed = failed = 0
    for executable in sorted((build / "bin" / "unit").iterdir()):
        report = folder / (executable.name + ".xml")
        status = subprocess.run([executable, "--gtest_brief=1", f"--gtest_output=xml:{report}"], cwd=folder).returncode
        if not report.exists():
            print(f"{executable.name}: ended with {status} before its report")
            failed += 1
            continue
        suites = ElementTree.parse(report).getroot()
        wrong = int(suites.get("failures")) + int(suites.get("errors"))
        passed += int(suites.get("tests")) - wrong
        failed += wrong + (status != 0 and wrong == 0)
    return passed, failed


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        results = [run(build, pathlib.Path(folder)) for run in (run_unit, run_lit)]
    passed, failed = (sum(column) for column in zip(*results))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
