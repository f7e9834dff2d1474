#!/usr/bin/env bash
# Installs what Resin is built with, where it is missing, and configures build/.
# Debian 12 packages through apt (root, or sudo), the Halide wheel with its hash.
# Where all packages are there already, neither root nor the network is needed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(build-essential cmake ninja-build ccache clang-22 lld-22 llvm-22-dev llvm-22-tools libmlir-22-dev
          mlir-22-tools libgtest-dev libbenchmark-dev libcli11-dev nlohmann-json3-dev zlib1g-dev libzstd-dev
          libsqlite3-dev curl ca-certificates python3 python3-pip unzip)
if [[ "${1:-release}" == asan ]]; then packages+=(libclang-rt-22-dev); fi
halide_version=21.0.0
halide_sha256=3686c2b4c9aed1e26e1e55631608b2c4a4c3fe2d4386505ba1921859adb683ab

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if ((${#missing[@]})); then
  echo "setup: installing ${missing[*]}" >&2
  as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || {
      echo "setup: error: these packages are missing, and there is neither root nor sudo: ${missing[*]}" >&2
      exit 1
    }
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# The wheel is made for one Python, but we use only its headers and libHalide.so.
if [[ "$(cat .deps/halide/VERSION 2>/dev/null)" != "$halide_version" ]]; then
  echo "setup: fetching Halide $halide_version" >&2
  rm -rf .deps/halide .deps/wheel && mkdir -p .deps/wheel
  python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 \
    --platform manylinux_2_28_x86_64 --dest .deps/wheel "halide==$halide_version"
  wheel=(.deps/wheel/halide-*.whl)
  echo "$halide_sha256  ${wheel[0]}" | sha256sum --check --quiet
  unzip -q -o "${wheel[0]}" 'halide/include/*' 'halide/lib64/libHalide.so' -d .deps
  rm -rf .deps/wheel
  echo "$halide_version" >.deps/halide/VERSION
fi

launcher=()
if command -v ccache >/dev/null; then
  # What precompiled headers need.
  cached="env;CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime;ccache"
  launcher=("-DCMAKE_C_COMPILER_LAUNCHER=$cached" "-DCMAKE_CXX_COMPILER_LAUNCHER=$cached")
fi
cmake --preset "${1:-release}" -Wno-dev "${launcher[@]}" >/dev/null
