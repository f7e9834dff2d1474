"""same_losses.py TOLERANCE ONE.csv TWO.csv: fails unless both runs' training losses are the same within TOLERANCE."""

import csv
import sys


def losses(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    column = next(name for name in rows[0] if name.endswith("loss"))
    return [float(row[column]) for row in rows]


tolerance, one, two = float(sys.argv[1]), losses(sys.argv[2]), losses(sys.argv[3])
if len(one) != len(two) or any(abs(a - b) > tolerance for a, b in zip(one, two)):
    sys.exit(f"{one} and {two} differ by more than {tolerance}")
