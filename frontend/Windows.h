//===- Windows.h - How a window lies and moves on an image ------*- C++ -*-===//

#ifndef RESIN_FRONTEND_WINDOWS_H
#define RESIN_FRONTEND_WINDOWS_H

#include "frontend/Layers.h"

namespace resin::frontend {

/// [height, width] of a `Size`.
std::array<int64_t, 2> getPair(const Value &value);

/// Whether the call says it; else the layer computes its own.
inline bool isGiven(const LayerArguments::Bound &argument) { return !argument.value.is(Value::Poison); }

/// Sets the window's padding. False after a mistake, as all below.
bool padWindow(const LayerArguments &args, const LayerArguments::Bound &padding, bool isSameDefault,
               llvm::StringRef name, llvm::SMRange where, Window &window, Diagnostics &diagnostics);

/// The window's result on an image, where it fits.
bool applyWindow(const LayerArguments &args, const Layer &layer, int64_t channels, Shape &result,
                 Diagnostics &diagnostics);

/// Refuses a convolution or a pool that would read more zeros around its input, or its gradient around its result, than
/// a program keeps there.
bool checkReach(const LayerArguments &args, const Layer &layer, const Shape &result, Diagnostics &diagnostics);

struct WindowArguments {
  const LayerArguments::Bound &stride, &padding, &like;
};

/// Sets a convolution's strides and padding, as they are given or as `like` wants them.
bool placeWindow(const LayerArguments &args, const WindowArguments &given, llvm::StringRef name, llvm::SMRange where,
                 Window &window, Diagnostics &diagnostics);

/// The smallest strides by which what has `rooms` to move on `input` gives the height and width of `like`; one for both
/// directions where one does it.
bool findStrides(const LayerArguments::Bound &input, const LayerArguments::Bound &like, std::array<int64_t, 2> rooms,
                 std::array<int64_t, 2> &strides, Diagnostics &diagnostics);

/// Refuses `stride` beside `like`.
bool isLikeAlone(const LayerArguments::Bound &stride, const LayerArguments::Bound &like, Diagnostics &diagnostics);

} // namespace resin::frontend

#endif // RESIN_FRONTEND_WINDOWS_H
