#!/usr/bin/env bash
# Runs what Resin generates for AVX-512 on an emulated CPU; README.md says what for.
#
#   test/emulated/run.sh [cpu] [programs] [kernels] [tests] [models]      the first four if none is named
#
# BUILD (build) is the build folder; WORK (BUILD/emulated) takes packages, compiled kernels, discs and logs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=$PWD/test/emulated
build=$(realpath "${BUILD:-build}")
mkdir -p "${WORK:-$build/emulated}"
work=$(realpath "${WORK:-$build/emulated}")
export RESIN_CACHE=$work/cache
emulate() { python3 "$here/emulate.py" --work "$work" --memory 1536 "$@"; }
needs() { nice cmake --build "$build" --target "$@" >/dev/null; }

# An empty folder for the machine, whose script is the rest of the arguments.
machine() {
  local folder=$work/$1
  rm -rf "$folder" && mkdir -p "$folder"
  shift
  printf '%s\n' "$@" >"$folder/run"
}

# The kernels of models at the batch they train with; $1: the machine's folder.
record_models() {
  local folder=$work/$1 model files=()
  for model in "${@:2}"; do
    files+=("$work/$(basename "$model" .resin).mlir")
    "$build/bin/resin" build "$model" --target=x86-64-v4 --emit=kernel -o "${files[-1]}" 2>/dev/null
  done
  RESIN_RECORD_TRIALS=$folder/trials nice "$build/bin/kernel-check" "${files[@]}"
}

# Where the registers of AVX-512 are there at all.
run_cpu() {
  machine cpu 'grep -m1 flags /proc/cpuinfo | tr " " "\n" | grep avx512 | tr "\n" " "; echo'
  emulate "$work/cpu"
}

run_programs() {
  needs resin
  python3 "$here/programs.py" "$build" "$work"
}

# All of KernelTest, and of the models with small images, by every template: recorded here, replayed there.
run_kernels() {
  needs resin kernel-check KernelTest replay-trials
  machine kernels './replay-trials trials'
  RESIN_RECORD_TRIALS=$work/kernels/trials nice "$build/bin/unit/KernelTest" --gtest_brief=1
  record_models kernels models/resnet20.resin models/keras_three_conv.resin models/keras_resnet64.resin \
    test/codegen/Inputs/odd.resin test/codegen/Inputs/dropout.resin
  cp "$build/bin/replay-trials" "$work/kernels"
  emulate "$work/kernels"
}

# The models with ImageNet's shapes: an hour or so of compiling.
run_models() {
  needs resin kernel-check replay-trials
  machine models './replay-trials trials'
  record_models models models/resnet18.resin models/resnet50.resin
  cp "$build/bin/replay-trials" "$work/models"
  emulate "$work/models" --memory 2048 --limit 14400
}

# ConvKernelTest itself. Here it only compiles, for the other CPU, and fails; there it finds what was compiled.
run_tests() {
  needs ConvKernelTest
  machine tests 'RESIN_KEPT_KERNELS=$PWD/kept ./ConvKernelTest'
  mkdir "$work/tests/kept"
  RESIN_KEPT_KERNELS=$work/tests/kept RESIN_KEPT_TARGET=x86-64-v4 nice \
    "$build/bin/unit/ConvKernelTest" >"$work/tests.log" 2>&1 || true
  cp "$build/bin/unit/ConvKernelTest" "$work/tests"
  emulate "$work/tests"
}

failed=()
for what in "${@:-cpu programs kernels tests}"; do
  for part in $what; do
    echo "== $part"
    run_"$part" || failed+=("$part")
  done
done
echo "${#failed[@]} failed ${failed[*]}"
((!${#failed[@]}))
