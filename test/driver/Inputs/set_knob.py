"""set_knob.py DATABASE SPEC KNOB VALUE: changes a knob in the records whose spec begins with SPEC, and fails if there
is none."""

import re
import sqlite3
import sys

path, spec, knob, value = sys.argv[1:]
database = sqlite3.connect(path)
found = database.execute("SELECT rowid, knobs FROM tuning WHERE substr(spec, 1, ?) = ?", (len(spec), spec)).fetchall()
for row, knobs in found:
    changed, times = re.subn(rf"\b{knob}=\d+", f"{knob}={value}", knobs)
    assert times == 1, knobs
    database.execute("UPDATE tuning SET knobs = ? WHERE rowid = ?", (changed, row))
database.commit()
sys.exit(not found)
