//===- Windows.cpp - How a window lies and moves on an image --------------===//
//
// Padding, strides and the size of the result, of convolutions and pools.
//
//===----------------------------------------------------------------------===//

#include "frontend/Windows.h"
#include "support/Halo.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace resin::frontend;
using resin::kMostHalo;

using Args = LayerArguments;

static bool fail(Diagnostics &diagnostics, SMRange where, const Twine &what, ArrayRef<Note> notes = {}) {
  diagnostics.error(where, what, notes);
  return false;
}

std::array<int64_t, 2> resin::frontend::getPair(const Value &value) {
  SmallVector<int64_t> pair;
  if (!value.getIntegers(pair))
    return {value.getInteger(), value.getInteger()};
  return {pair[0], pair[1]};
}

/// The window's extent in pixels: a dilated window reaches further.
static int64_t getExtent(const Window &window, unsigned dim) {
  return window.dilations[dim] * (window.kernel[dim] - 1) + 1;
}

/// PyTorch's: the same on both sides.
static bool padSame(const Args::Bound &padding, StringRef layerName, SMRange where, Window &window,
                    Diagnostics &diagnostics) {
  bool isGiven = !padding.value.is(Value::Poison);
  for (unsigned dim : {0, 1}) {
    int64_t total = getExtent(window, dim) - 1;
    if (total % 2)
      return fail(diagnostics, isGiven ? padding.range : where,
                  (isGiven ? "'same' pads both sides alike, which a kernel of "
                           : "there is no default padding for a kernel of ") +
                      Twine(window.kernel[dim]) + (isGiven ? " can't have" : "") +
                      ": give 'pad' as a number, [top, left, bottom, right] or keras_same");
    window.padding[dim] = window.padding[dim + 2] = total / 2;
  }
  return true;
}

/// TensorFlow's: the result has ceil(size / stride) pixels; of an odd total the right and bottom get more.
static void padKerasSame(ArrayRef<int64_t> input, Window &window) {
  for (unsigned dim : {0, 1}) {
    int64_t size = input[dim + 1], stride = window.strides[dim];
    int64_t total = std::max<int64_t>((divideCeil(size, stride) - 1) * stride + getExtent(window, dim) - size, 0);
    window.padding[dim] = total / 2;
    window.padding[dim + 2] = total - total / 2;
  }
}

bool resin::frontend::padWindow(const Args &args, const Args::Bound &padding, bool isSameDefault, StringRef name,
                                SMRange where, Window &window, Diagnostics &diagnostics) {
  const Value &value = padding.value;
  if (value.isWord("same") || (value.is(Value::Poison) && isSameDefault))
    return padSame(padding, name, where, window, diagnostics);
  if (value.isWord("keras_same")) {
    padKerasSame(args[0].shape, window);
    return true;
  }
  if (value.is(Value::Integer))
    window.padding.fill(value.getInteger());
  SmallVector<int64_t> sides;
  if (value.getIntegers(sides))
    window.padding = sides.size() == 2 ? std::array{sides[0], sides[1], sides[0], sides[1]}
                                       : std::array{sides[0], sides[1], sides[2], sides[3]};
  return true; // `valid` and no default: no padding
}

bool resin::frontend::applyWindow(const Args &args, const Layer &layer, int64_t channels, Shape &result,
                                  Diagnostics &diagnostics) {
  const Shape &input = args[0].shape;
  const Window &window = layer.window;
  result = {channels};
  for (unsigned dim : {0, 1}) {
    int64_t room = input[dim + 1] + window.padding[dim] + window.padding[dim + 2] - getExtent(window, dim);
    if (room < 0)
      return fail(diagnostics, layer.range,
                  "the window of " + print({getExtent(window, 0), getExtent(window, 1)}) + " doesn't fit into " +
                      print(input) + " padded by " + print(window.padding),
                  Note{args[0].origin, "the input is made here"});
    result.push_back(room / window.strides[dim] + 1);
  }
  return true;
}

bool resin::frontend::checkReach(const Args &args, const Layer &layer, const Shape &result, Diagnostics &diagnostics) {
  const Window &window = layer.window;
  auto say = [&](StringRef who, int64_t reach, StringRef of, ArrayRef<int64_t> map) {
    return reach <= kMostHalo ||
           fail(diagnostics, layer.range,
                who + " would read " + Twine(reach) + " pixels beyond the edge of its " + of + " " + print(map) +
                    "; the most is " + Twine(kMostHalo) + ": take less padding or dilation",
                Note{args[0].origin, "the input is made here"});
  };
  if (!say("the window", *max_element(window.padding), "input", args[0].shape))
    return false;
  bool hasGradient = layer.kind == LayerKind::Conv && args[0].value.getTensor() != 0; // none of the image
  for (unsigned dim : {0, 1})
    if (hasGradient &&
        !say("the gradient", getExtent(window, dim) - 1 - std::min(window.padding[dim], window.padding[dim + 2]),
             "result", result))
      return false;
  return true;
}

//===----------------------------------------------------------------------===//
// Strides
//===----------------------------------------------------------------------===//

/// The smallest stride by which a window that has `room` to move gives `size` results, or nothing.
static std::optional<int64_t> findStride(int64_t room, int64_t size) {
  int64_t stride = room / size + 1;
  return room >= 0 && room / stride + 1 == size ? std::optional(stride) : std::nullopt;
}

bool resin::frontend::findStrides(const Args::Bound &input, const Args::Bound &like, std::array<int64_t, 2> rooms,
                                  std::array<int64_t, 2> &strides, Diagnostics &diagnostics) {
  auto fits = [&](unsigned dim, int64_t stride) { return rooms[dim] / stride + 1 == like.shape[dim + 1]; };
  std::optional<int64_t> down = findStride(rooms[0], like.shape[1]), across = findStride(rooms[1], like.shape[2]);
  if (!down || !across)
    return fail(diagnostics, like.range,
                "no stride makes a map of " + print(ArrayRef(like.shape).drop_front()) + " out of one of " +
                    print(ArrayRef(input.shape).drop_front()),
                Note{like.origin, print(like.shape) + " is made here"});
  int64_t both = std::max(*down, *across);
  strides = fits(0, both) && fits(1, both) ? std::array{both, both} : std::array{*down, *across};
  return true;
}

bool resin::frontend::isLikeAlone(const Args::Bound &stride, const Args::Bound &like, Diagnostics &diagnostics) {
  if (!isGiven(stride) || !isGiven(like))
    return true;
  return fail(diagnostics, stride.range, "'like' already says the stride: leave one of them out",
              Note{like.range.Start, "'like' is given here"});
}

/// By which strides the window gives a map as large as `like`.
static bool strideLike(const Args &args, const Args::Bound &like, bool isPadded, Window &window,
                       Diagnostics &diagnostics) {
  std::array<int64_t, 2> rooms;
  for (unsigned dim : {0, 1})
    rooms[dim] = isPadded
                     ? args[0].shape[dim + 1] + window.padding[dim] + window.padding[dim + 2] - getExtent(window, dim)
                     : args[0].shape[dim + 1] - 1; // keras_same pads so that ceil(size / stride) fit
  return findStrides(args[0], like, rooms, window.strides, diagnostics);
}

bool resin::frontend::placeWindow(const Args &args, const WindowArguments &given, StringRef name, SMRange where,
                                  Window &window, Diagnostics &diagnostics) {
  window.strides = isGiven(given.stride) ? getPair(given.stride.value) : std::array<int64_t, 2>{1, 1};
  if (!isLikeAlone(given.stride, given.like, diagnostics))
    return false;
  // What keras_same pads depends on the strides; else strides may depend on the padding.
  bool padsFirst = !given.padding.value.isWord("keras_same");
  auto pad = [&] { return padWindow(args, given.padding, /*isSameDefault=*/true, name, where, window, diagnostics); };
  if (padsFirst && !pad())
    return false;
  if (isGiven(given.like) && !strideLike(args, given.like, padsFirst, window, diagnostics))
    return false;
  return padsFirst || pad();
}
