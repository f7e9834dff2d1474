"""Runs programs on a CPU with AVX-512 that Bochs emulates.

    emulate.py [--work DIR] [--memory MIB] [--limit SECONDS] FOLDER

FOLDER holds a shell script `run` and whatever it needs; the shared libraries of its programs are found with ldd and
come along. Bochs boots Debian's kernel for cloud machines from a CD whose initial RAM disk is FOLDER, BusyBox and an
/init that runs `run` in FOLDER's place. What that prints comes back through a serial port as it is printed, what it
leaves in /out through another, to FOLDER.out, and its exit status is ours. 75: the machine never got that far.

Packages are downloaded with apt-get and unpacked under DIR; none is installed but Bochs itself: apt-get install bochs
bochs-term. Neither root nor a loop mount is needed.
"""

import argparse
import io
import os
import pathlib
import pty
import re
import select
import shutil
import stat
import subprocess
import sys
import tarfile
import time

PACKAGES = ["linux-image-cloud-amd64", "busybox-static", "isolinux", "syslinux-common", "genisoimage"]
FEATURES = ["avx512f", "avx512dq", "avx512cd", "avx512bw", "avx512vl"]
NEVER_RAN = 75

# clearcpuid: XSAVEC and XSAVES, for whose area Bochs 2.7 tells a size that Linux does not believe, and then does
# without AVX altogether. With XSAVE alone all is well. The rest shortens the boot.
KERNEL_ARGUMENTS = (
    "console=ttyS0 quiet loglevel=1 clearcpuid=321,323 nosmp mitigations=off tsc=reliable no_timer_check "
    "random.trust_cpu=on audit=0 apparmor=0 rdinit=/init panic=-1"
)

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp GTEST_COLOR=no
mount -t proc proc /proc
mount -t devtmpfs dev /dev
mkdir -p /tmp /out
stty -F /dev/ttyS0 -onlcr 115200
stty -F /dev/ttyS1 raw 115200
for feature in %(features)s; do
  grep -qw $feature /proc/cpuinfo || { echo "emulate: this CPU has no $feature"; poweroff -f; }
done
echo "emulate: begin"
cd /work
sh ./run
echo "emulate: status $?"
tar -c -f /dev/ttyS1 -C /out .
sleep 0.2
poweroff -f
"""

BOCHS = """
config_interface: textconfig
display_library: term
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model=corei7_skylake_x, count=1, ips=50000000, ignore_bad_msrs=1
megs: %(memory)d
ata0-master: type=cdrom, path="%(work)s/cd.iso", status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev="%(work)s/console"
com2: enabled=1, mode=file, dev="%(work)s/files"
speaker: enabled=0
vga: update_freq=1
clock: sync=none
log: %(work)s/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
"""


def fetch_packages(work):
    """The unpacked packages, downloaded if they are not there."""
    root = work / "packages"
    if (root / "complete").exists():
        return root
    shutil.rmtree(root, ignore_errors=True)
    debs = root / "debs"
    debs.mkdir(parents=True)

    def download(names):
        subprocess.run(["apt-get", "download", "-qq", *names], cwd=debs, check=True, stderr=subprocess.DEVNULL)

    download(PACKAGES)
    meta = next(debs.glob("linux-image-cloud-amd64_*"))
    depends = subprocess.run(["dpkg", "-f", meta, "Depends"], check=True, capture_output=True, text=True).stdout
    download([re.match(r"[^ ,]+", depends)[0]])
    for deb in sorted(debs.iterdir()):
        subprocess.run(["dpkg", "-x", deb, root], check=True)
    (root / "complete").touch()
    return root


def libraries_of(program):
    """The files that the loader takes for a dynamic executable, itself among them; none for anything else."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True)
    return re.findall(r"(/\S+) \(0x", listed.stdout) if listed.returncode == 0 else []


def contents_of(folder, packages):
    """(path, mode, bytes) of all files of the RAM disk."""
    files = {"bin/busybox": (0o755, (packages / "bin/busybox").read_bytes()),
             "init": (0o755, (INIT % {"features": " ".join(FEATURES)}).encode())}
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        files["work/" + str(path.relative_to(folder))] = (mode, path.read_bytes())
        if mode & 0o100 and path.suffix != ".so":
            for library in libraries_of(path):
                files[library.lstrip("/")] = (0o755, pathlib.Path(library).read_bytes())
    return files


def write_ramdisk(files, path):
    """A cpio archive in the format `newc`."""
    folders = {"dev", "proc", "tmp", "out"}
    for name in files:
        folders.update(str(parent) for parent in pathlib.PurePath(name).parents if str(parent) != ".")
    number = 0
    with open(path, "wb") as out:

        def add(name, mode, data=b""):
            nonlocal number
            number += 1
            fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
            header = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
            out.write(header + b"\0" * (-len(header) % 4) + data + b"\0" * (-len(data) % 4))

        for name in sorted(folders, key=lambda name: (name.count("/"), name)):
            add(name, stat.S_IFDIR | 0o755)
        for name, (mode, data) in files.items():
            add(name, stat.S_IFREG | mode, data)
        add("TRAILER!!!", 0)


def write_disc(folder, packages, work):
    disc = work / "disc"
    shutil.rmtree(disc, ignore_errors=True)
    disc.mkdir(parents=True)
    shutil.copy(packages / "usr/lib/ISOLINUX/isolinux.bin", disc)
    shutil.copy(packages / "usr/lib/syslinux/modules/bios/ldlinux.c32", disc)
    shutil.copy(next((packages / "boot").glob("vmlinuz-*")), disc / "vmlinuz")
    write_ramdisk(contents_of(folder, packages), disc / "ramdisk")
    (disc / "isolinux.cfg").write_text(
        f"DEFAULT resin\nPROMPT 0\nLABEL resin\n KERNEL vmlinuz\n INITRD ramdisk\n APPEND {KERNEL_ARGUMENTS}\n")
    subprocess.run(
        [
            packages / "usr/bin/genisoimage",
            "-quiet",
            "-o",
            work / "cd.iso",
            "-b",
            "isolinux.bin",
            "-c",
            "boot.cat",
            "-no-emul-boot",
            "-boot-load-size",
            "4",
            "-boot-info-table",
            "-R",
            disc,
        ],
        check=True,
    )


class Console:
    """Prints what is new on the first serial port, between the lines that /init writes; finds the status."""

    def __init__(self, path):
        self.path, self.at, self.began, self.status, self.rest = path, 0, False, None, b""

    def follow(self):
        if not self.path.exists():
            return
        with open(self.path, "rb") as file:
            file.seek(self.at)
            new = file.read()
        self.at += len(new)
        *lines, self.rest = (self.rest + new).split(b"\n")
        for line in lines:
            self.show(line.decode(errors="replace").rstrip("\r"))

    def show(self, line):
        ended = re.fullmatch(r"emulate: status (\d+)", line)
        if ended:
            self.status = int(ended[1])
        elif line == "emulate: begin":
            self.began = True
        elif self.status is None and (self.began or line.startswith("emulate:")):
            print(line, flush=True)


def boot(work, limit):
    """Runs Bochs until the machine turns itself off or `limit` seconds are over; the status of `run`, or None."""
    for name in ("console", "files"):
        (work / name).unlink(missing_ok=True)
    # Debian's Bochs starts in its debugger, and draws the screen with curses.
    (work / "go").write_text("continue\n")
    command = ["nice", "bochs-bin", "-q", "-f", str(work / "bochsrc"), "-rc", str(work / "go")]
    console = Console(work / "console")
    child, screen = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm", LINES="25", COLUMNS="80")
        os.execvp(command[0], command)
    began = time.monotonic()
    while time.monotonic() - began < limit:
        if select.select([screen], [], [], 0.5)[0]:
            try:
                if not os.read(screen, 65536):
                    break
            except OSError:  # Bochs has ended
                break
        console.follow()
    else:
        print(f"emulate: not over after {limit} seconds", file=sys.stderr)
        os.kill(child, 9)
    os.waitpid(child, 0)
    console.follow()
    return console.status


def emulate(folder, work, memory=1024, limit=3600):
    """Runs `folder`/run; its status. What it left in /out is then in `folder`.out."""
    folder, work = pathlib.Path(folder).resolve(), pathlib.Path(work).resolve()
    packages = fetch_packages(work)
    write_disc(folder, packages, work)
    (work / "bochsrc").write_text(BOCHS % {"memory": memory, "work": work})
    status = boot(work, limit)
    out = pathlib.Path(str(folder) + ".out")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    if status is None:
        print(f"emulate: the program did not end; see {work}/console and {work}/bochs.log", file=sys.stderr)
        return NEVER_RAN
    with tarfile.open(fileobj=io.BytesIO((work / "files").read_bytes())) as files:
        files.extractall(out, filter="data")
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", default="build/emulated", help="where packages, disc and logs go")
    parser.add_argument("--memory", type=int, default=1024, help="of the machine, in MiB")
    parser.add_argument("--limit", type=int, default=3600, help="seconds until it is switched off")
    parser.add_argument("folder")
    arguments = parser.parse_args()
    return emulate(arguments.folder, arguments.work, arguments.memory, arguments.limit)


if __name__ == "__main__":
    sys.exit(main())
