"""damage_cache.py FOLDER: puts something else in the place of each entry of a cache, of several kinds in turns."""

import os
import sys


def cut(path, data):
    open(path, "wb").write(data[: len(data) // 2])


def change(path, data):
    open(path, "wb").write(data[:-100] + bytes([data[-100] ^ 1]) + data[-99:])


def drain(path, data):
    open(path, "wb").close()


def make_folder(path, data):
    os.remove(path)
    os.mkdir(path)


def make_pipe(path, data):
    os.remove(path)
    os.mkfifo(path)


kinds = [cut, change, drain, make_folder, make_pipe]
entries = sorted(entry for entry in os.listdir(sys.argv[1]) if entry.endswith(".kernel"))
for number, entry in enumerate(entries):
    path = os.path.join(sys.argv[1], entry)
    kinds[number % len(kinds)](path, open(path, "rb").read())
sys.exit(0 if len(entries) >= len(kinds) else "there are too few entries")
