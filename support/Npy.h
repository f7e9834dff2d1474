//===- Npy.h - One NumPy array in a file ------------------------*- C++ -*-===//
//
// Reads and writes `.npy` files of little-endian float32 in C order, and refuses
// all others by name: the header's dictionary is parsed by its grammar, and the
// shape must fit the file's length to the byte.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_NPY_H
#define RESIN_SUPPORT_NPY_H

#include "support/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace resin::npy {

struct Array {
  std::vector<int64_t> shape;
  std::vector<float> elements; ///< row-major
};

StatusOr<Array> read(const std::string &path);
/// Writes an output (support/Files.h).
Status write(const std::string &path, std::span<const int64_t> shape, std::span<const float> elements);

} // namespace resin::npy

#endif // RESIN_SUPPORT_NPY_H
