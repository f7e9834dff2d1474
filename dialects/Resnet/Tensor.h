//===- Tensor.h - A value of the interpreter --------------------*- C++ -*-===//
//
// A shape and its elements, row-major, in double whatever the element type: the
// interpreter rounds to the element type after each op.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DIALECTS_RESNET_TENSOR_H
#define RESIN_DIALECTS_RESNET_TENSOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cassert>
#include <cstdint>
#include <vector>

namespace resin::resnet {

struct Tensor {
  llvm::SmallVector<int64_t> shape;
  std::vector<double> data;

  Tensor() = default;
  explicit Tensor(llvm::ArrayRef<int64_t> shape) : shape(shape.begin(), shape.end()) {
    int64_t size = 1;
    for (int64_t extent : shape)
      size *= extent;
    data.resize(size);
  }

  int64_t size() const { return static_cast<int64_t>(data.size()); }
  int64_t dim(unsigned d) const { return shape[d]; }

  /// Element of a matrix or an image.
  double &at(int64_t i, int64_t j) { return data[i * shape[1] + j]; }
  double at(int64_t i, int64_t j) const { return data[i * shape[1] + j]; }
  double &at(int64_t n, int64_t c, int64_t y, int64_t x) {
    return data[((n * shape[1] + c) * shape[2] + y) * shape[3] + x];
  }
  double at(int64_t n, int64_t c, int64_t y, int64_t x) const {
    return data[((n * shape[1] + c) * shape[2] + y) * shape[3] + x];
  }
};

} // namespace resin::resnet

#endif // RESIN_DIALECTS_RESNET_TENSOR_H
