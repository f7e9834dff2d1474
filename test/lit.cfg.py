# How lit runs the tests of a build folder, which lit.site.cfg.py names.
import os
import subprocess

import lit.formats

config.name = "Resin"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".resin", ".test"]
config.excludes = ["Inputs", "unit", "emulated"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.resin_build, "test")

config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.resin_build, "bin"), config.llvm_tools, config.environment["PATH"]]
)
# Kernels of earlier runs are used again; the user's own cache is left alone.
config.environment["RESIN_CACHE"] = os.path.join(config.resin_build, "test", "cache")

config.substitutions.append(("%source", config.resin_source))
config.substitutions.append(("%build", config.resin_build))
config.substitutions.append(("%cc", config.c_compiler))
config.substitutions.append(("%python", config.python))


def cpu_flags():
    """Of the first processor, as Linux spells them; none elsewhere."""
    try:
        with open("/proc/cpuinfo") as cpuinfo:
            return next((set(line.split()) for line in cpuinfo if line.startswith("flags")), set())
    except OSError:
        return set()


flags = cpu_flags()
if {"avx2", "fma", "bmi2"} <= flags:
    config.available_features.add("x86-64-v3")
if {"avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512cd"} <= flags:
    config.available_features.add("x86-64-v4")

# Tests of full disks mount small ones, unseen by others.
mounting = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
if os.geteuid() == 0 and subprocess.run(mounting, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
    config.available_features.add("mount")
