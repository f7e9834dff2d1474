"""set_knob.py DATABASE SPEC KNOB VALUE: changes a knob in the records whose spec begins with SPEC, and fails if there is none."""

import sqlite3
import sys

path, spec, knob, value = sys.argv[1:]
database = sqlite3.connect(path)
changed = database.execute(f"UPDATE tuning SET knob{int(knob)} = ? WHERE substr(spec, 1, ?) = ?", (int(value), len(spec), spec)).rowcount
database.commit()
sys.exit(0 if changed else f"no record of '{spec}'")
