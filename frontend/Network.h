//===- Network.h - A model with every block and repeat unrolled --*- C++ -*-===//
//
// What Sema makes of a file: a list of layers in the order they are computed,
// each with its path, its place in the text, its shape and its variables. MlirGen
// turns it into ops, Summary into a table.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_FRONTEND_NETWORK_H
#define RESIN_FRONTEND_NETWORK_H

#include "frontend/Value.h"

#include "llvm/Support/SMLoc.h"

#include <array>

namespace resin::frontend {

enum class LayerKind {
  Conv,
  BatchNorm,
  MaxPool,
  AvgPool,
  Linear,
  Dropout,
  Subsample,
  Op, ///< one op, called as the layer is, on its inputs; the layer's other arguments are the op's attributes
};

/// A parameter or a statistic of a layer; `layer path + "." + suffix` is its name in checkpoints.
struct Variable {
  std::string suffix;
  bool isParameter = true;
  bool isDecayed = true;
  Shape shape;
  Value init; ///< a record, as in docs/Manifest.md
};

struct Window {
  std::array<int64_t, 2> kernel{1, 1}, strides{1, 1}, dilations{1, 1};
  std::array<int64_t, 4> padding{}; ///< top, left, bottom, right
};

struct Layer {
  LayerKind kind;
  llvm::StringRef name; ///< of the layer's row in Layers.cpp
  std::string path; ///< "layer2.0.conv1"
  llvm::SMRange range;
  llvm::SmallVector<unsigned, 2> inputs; ///< tensors
  Shape result;
  std::vector<Variable> variables;
  uint64_t flops = 0; ///< of one image, forward; a multiplication and an addition are two

  // What the kinds need, each its own.
  Window window;            ///< convolutions and pools
  int64_t groups = 1;       ///< convolutions
  double epsilon = 0;       ///< batch_norm
  double momentum = 0;      ///< batch_norm: the weight of the new value
  double rate = 0;          ///< dropout
  bool countPadding = true; ///< avg_pool
  int64_t amount = 0;       ///< subsample's stride
  llvm::SmallVector<std::pair<llvm::StringRef, Value>, 1> attributes; ///< ops

  int64_t countParameters() const;
};

/// Tensor 0 is the image, tensor i + 1 the result of layer i.
struct Network {
  std::string name;
  llvm::SMRange range;
  Shape image;
  std::vector<Layer> layers;
  unsigned result = 0;
  Value recipe; ///< a record, complete: docs/Manifest.md

  llvm::ArrayRef<int64_t> getShape(unsigned tensor) const { return tensor ? layers[tensor - 1].result : image; }
  int64_t getClasses() const { return getShape(result).front(); }
};

/// Elements of a shape; saturates.
int64_t countElements(llvm::ArrayRef<int64_t> shape);

} // namespace resin::frontend

#endif // RESIN_FRONTEND_NETWORK_H
