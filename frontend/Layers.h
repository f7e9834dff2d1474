//===- Layers.h - The layers a model can call -------------------*- C++ -*-===//
//
// A table: each layer's name, arguments with their types and defaults, and the
// function that makes a `Layer` of them: shapes, variables, FLOPs.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_FRONTEND_LAYERS_H
#define RESIN_FRONTEND_LAYERS_H

#include "frontend/Diagnostics.h"
#include "frontend/Network.h"

#include <optional>

namespace resin::frontend {

enum class ArgumentType {
  Image,    ///< a tensor [channels, height, width]
  Vector,   ///< a tensor [features]
  Tensor,   ///< either
  Like,     ///< a tensor [channels, height, width] of which only the shape counts
  Count,    ///< a positive integer
  Size,     ///< a positive integer or [height, width]
  Padding,  ///< an integer, [h, w], [top, left, bottom, right], `same`, `keras_same`, `valid`
  Boolean,  //
  Positive, ///< a number above 0
  Fraction, ///< a number from 0 to 1
  Rate,     ///< a number from 0, below 1
  Init,     ///< `he_normal`, `glorot_uniform`, `linear_uniform`, `zeros`
};

/// "a positive integer or [height, width]"
llvm::StringRef describe(ArgumentType type);

struct ArgumentSpec {
  llvm::StringRef name;
  ArgumentType type;
  std::optional<Value> defaultValue; ///< none: must be given
  bool isComputed = false;           ///< the layer computes the default itself
};

/// The arguments of one call, by position in the layer's table, of the right types.
struct LayerArguments {
  struct Bound {
    Value value; ///< poison where a computed default is to be used
    llvm::SMRange range;
    Shape shape;        ///< of a tensor
    llvm::SMLoc origin; ///< where a tensor was made
  };
  llvm::ArrayRef<Bound> all;

  const Bound &operator[](size_t position) const { return all[position]; }
};

struct LayerDefinition {
  llvm::StringRef name;
  LayerKind kind;
  std::vector<ArgumentSpec> arguments;
  /// Fills in everything but kind, path, range and inputs; false after a mistake. `layer.range` is set before.
  bool (*build)(const LayerArguments &arguments, Layer &layer, Diagnostics &diagnostics);
};

llvm::ArrayRef<LayerDefinition> getLayers();
const LayerDefinition *findLayer(llvm::StringRef name);

/// The words arguments can take: `same`, `he_normal`, ...
llvm::ArrayRef<llvm::StringRef> getArgumentWords();

/// A number, and no integer by its type.
bool isReal(ArgumentType type);

/// Of one image's tensor, and of a parameter.
constexpr int64_t maxElements = int64_t(1) << 31;

/// Whether `value` (with its shape if it is a tensor) is of the type.
bool isOfType(const Value &value, llvm::ArrayRef<int64_t> shape, ArgumentType type);

} // namespace resin::frontend

#endif // RESIN_FRONTEND_LAYERS_H
