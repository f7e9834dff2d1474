"""expect_losses.py METRICS TOLERANCE LOSS...: the training loss of each epoch in METRICS is the LOSS given for it, to
the relative TOLERANCE."""

import csv
import sys

with open(sys.argv[1]) as metrics:
    losses = [float(row["train_loss"]) for row in csv.DictReader(metrics)]
tolerance, expected = float(sys.argv[2]), [float(text) for text in sys.argv[3:]]
print("losses:", *losses)
if len(losses) != len(expected) or any(abs(a - b) > tolerance * b for a, b in zip(losses, expected)):
    sys.exit(f"expected: {expected}")
