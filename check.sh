#!/usr/bin/env bash
# Installs what is missing, builds Resin, runs every test. Ends with "N passed, N failed".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
bash cmake/setup.sh
cmake --build build
exec python3 test/run.py build
