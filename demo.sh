#!/usr/bin/env bash
# From a bare Debian 12 to a trained ResNet-20: ./demo.sh [DIR]
# DIR holds CIFAR-10's binary files (data_batch_1.bin ... test_batch.bin); without it they are downloaded, and where
# that can't be, `synthetic` data is used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

bash cmake/setup.sh
cmake --build build --target resin

cifar_url=https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz
cifar_md5=c32a1d4ab5d03f1284b67883e8d87530 # as the data set's page says
find_data() {
  local folder=.deps/cifar-10-batches-bin archive=.deps/cifar-10-binary.tar.gz
  if [[ ! -f $folder/test_batch.bin ]]; then
    echo "demo: downloading CIFAR-10 (170 MB)" >&2
    curl --fail --silent --show-error --location --connect-timeout 15 --max-time 300 --output "$archive" "$cifar_url" &&
      echo "$cifar_md5  $archive" | md5sum --check --quiet && tar -xzf "$archive" -C .deps || return 1
    rm -f "$archive"
  fi
  echo "$folder"
}
if (($#)); then
  data=$1
elif ! data=$(find_data); then
  echo "demo: CIFAR-10 could not be downloaded: using the built-in synthetic data instead" >&2
  data=synthetic
fi

out=build/demo
mkdir -p $out
echo "demo: compiling models/resnet20.resin" >&2
build/bin/resin build models/resnet20.resin -o $out/resnet20
rm -rf $out/run
# The recipe's five epochs of warm-up are for two hundred; here three of 20000 images must do.
$out/resnet20 train --data "$data" --out $out/run --epochs 3 --limit 20000 --set "train.lr=cosine(peak=0.1, warmup=1)"
$out/resnet20 eval --weights $out/run/best.safetensors --data "$data"
python3 - $out/x.npy "$data" <<'PY'
"""Four pictures as bytes, in NumPy's format: of the test set; of noise where there is no file."""
import os, random, sys
target, data = sys.argv[1:]
if os.path.exists(os.path.join(data, "test_batch.bin")):
    with open(os.path.join(data, "test_batch.bin"), "rb") as file:
        records = [file.read(3073) for _ in range(4)]
    pixels = b"".join(record[1:] for record in records)
    print("demo: four test images, whose classes are", *(record[0] for record in records), file=sys.stderr)
else:
    pixels = random.randbytes(4 * 3072)
header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (4, 3, 32, 32), }\n"
with open(target, "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + pixels)
PY
$out/resnet20 predict --weights $out/run/best.safetensors --input $out/x.npy --topk 3
$out/resnet20 bench --seconds 5 | sed -n 1,12p
echo "demo: the program is $out/resnet20; try $out/resnet20 --help" >&2
