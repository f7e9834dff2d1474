//===- Npy.h - One NumPy array in a file ------------------------*- C++ -*-===//
//
// Reads `.npy` files of integers and floating-point numbers of any size, byte order
// and order of elements, and refuses all others by name: the header's dictionary is
// parsed by its grammar, and the shape must fit the file's length to the byte.
// Writes little-endian float32 in C order.
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
  std::vector<float> elements; ///< row-major, whatever the file's type and order
  bool hasIntegers = false;    ///< in the file
};

StatusOr<Array> read(const std::string &path);
/// Writes an output (support/Files.h).
Status write(const std::string &path, std::span<const int64_t> shape, std::span<const float> elements);

} // namespace resin::npy

#endif // RESIN_SUPPORT_NPY_H
