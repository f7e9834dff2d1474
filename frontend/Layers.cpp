//===- Layers.cpp - The layers a model can call ---------------------------===//
//
// Defaults are those of the papers and of torchvision; where Keras's meaning
// differs (`keras_same`), it has a word of its own.
//
//===----------------------------------------------------------------------===//

#include "frontend/Layers.h"
#include "frontend/Windows.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace resin::frontend;

namespace {

/// Larger sizes are mistakes; the bounds keep all sums below inside 64 bits.
constexpr int64_t maxCount = 1 << 20;

using Args = LayerArguments;

bool fail(Diagnostics &diagnostics, SMRange where, const Twine &what, ArrayRef<Note> notes = {}) {
  diagnostics.error(where, what, notes);
  return false;
}

bool setResult(Layer &layer, Shape shape, Diagnostics &diagnostics) {
  layer.result = std::move(shape);
  for (const Variable &variable : layer.variables)
    if (countElements(variable.shape) > maxElements)
      return fail(diagnostics, layer.range,
                  "the layer's " + variable.suffix + " " + print(variable.shape) + " has more than " +
                      Twine(maxElements) + " elements");
  if (countElements(layer.result) > maxElements)
    return fail(diagnostics, layer.range,
                "the layer's result " + print(layer.result) + " has more than " + Twine(maxElements) + " elements");
  return true;
}

uint64_t multiply(std::initializer_list<int64_t> factors) {
  uint64_t product = 1;
  for (int64_t factor : factors)
    product = SaturatingMultiply<uint64_t>(product, factor);
  return product;
}

//===----------------------------------------------------------------------===//
// Initialisers: docs/Manifest.md
//===----------------------------------------------------------------------===//

Value constant(double value) { return Value::record("constant", {{"value", Value::number(value)}}); }

/// `in` and `out` are the fans of a filter: elements that make one output, elements that one input makes.
Value makeInit(StringRef name, int64_t in, int64_t out) {
  if (name == "he_normal") // He et al. 2015 with fan_out, as torchvision's ResNets
    return Value::record(name, {{"fan", Value::integer(out)}});
  if (name == "glorot_uniform")
    return Value::record(name, {{"fan_in", Value::integer(in)}, {"fan_out", Value::integer(out)}});
  if (name == "linear_uniform")
    return Value::record(name, {{"fan", Value::integer(in)}});
  return constant(0);
}

void addWeight(Layer &layer, Shape shape, StringRef init, bool hasBias) {
  int64_t area = shape.size() == 4 ? shape[2] * shape[3] : 1;
  int64_t outputs = shape[0], in = shape[1] * area, out = shape[0] * area;
  layer.variables.push_back({"weight", true, true, std::move(shape), makeInit(init, in, out)});
  if (hasBias)
    layer.variables.push_back(
        {"bias", true, true, {outputs}, init == "linear_uniform" ? makeInit(init, in, out) : constant(0)});
}

//===----------------------------------------------------------------------===//
// The layers, in the order of the table below
//===----------------------------------------------------------------------===//

bool buildConv(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  int64_t inputs = args[0].shape[0], outputs = args[1].value.getInteger(), groups = args[6].value.getInteger();
  Window &window = layer.window;
  window.kernel = getPair(args[2].value);
  window.dilations = getPair(args[5].value);
  layer.groups = groups;
  if (!placeWindow(args, {args[3], args[4], args[9]}, "conv", layer.range, window, diagnostics))
    return false;
  for (int64_t channels : {inputs, outputs})
    if (channels % groups)
      return fail(diagnostics, args[6].range,
                  Twine(groups) + " groups don't divide the " + Twine(channels) +
                      (channels == inputs ? " channels of the input" : " channels of the result"));

  Shape result;
  if (!applyWindow(args, layer, outputs, result, diagnostics) || !checkReach(args, layer, result, diagnostics))
    return false;
  auto [r, s] = window.kernel;
  bool hasBias = args[7].value.getBoolean();
  addWeight(layer, {outputs, inputs / groups, r, s}, args[8].value.getWord(), hasBias);
  layer.flops = multiply({2, outputs, inputs / groups, r, s, result[1], result[2]});
  return setResult(layer, std::move(result), diagnostics);
}

bool buildBatchNorm(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  int64_t channels = args[0].shape[0];
  layer.epsilon = args[1].value.getNumber();
  layer.momentum = args[2].value.getNumber();
  layer.variables = {{"weight", true, true, {channels}, constant(1)},
                     {"bias", true, true, {channels}, constant(0)},
                     {"running_mean", false, false, {channels}, constant(0)},
                     {"running_var", false, false, {channels}, constant(1)}};
  layer.flops = multiply({2, countElements(args[0].shape)});
  return setResult(layer, args[0].shape, diagnostics);
}

bool buildPointwise(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  layer.flops = countElements(args[0].shape);
  return setResult(layer, args[0].shape, diagnostics);
}

bool buildAdd(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  const Shape &lhs = args[0].shape, &rhs = args[1].shape;
  if (lhs == rhs)
    return buildPointwise(args, layer, diagnostics);
  StringRef reason = lhs.size() != rhs.size() ? "the ranks differ"
                     : lhs[0] != rhs[0]       ? (lhs.size() == 1 ? "the features differ" : "the channels differ")
                                              : "the sizes differ; a shortcut's conv or subsample takes 'like' "
                                                "instead of a stride, and is as large as that tensor";
  return fail(diagnostics, layer.range, "'add' joins " + print(lhs) + " and " + print(rhs) + ": " + reason,
              {{args[0].origin, print(lhs) + " is made here"}, {args[1].origin, print(rhs) + " is made here"}});
}

bool buildPool(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  Window &window = layer.window;
  window.kernel = getPair(args[1].value);
  window.strides = args[2].value.is(Value::Poison) ? window.kernel : getPair(args[2].value);
  if (!padWindow(args, args[3], /*isSameDefault=*/false, "pool", layer.range, window, diagnostics))
    return false;
  for (unsigned side : {0, 1, 2, 3})
    if (window.padding[side] >= window.kernel[side % 2])
      return fail(diagnostics, args[3].range,
                  "the padding " + print(window.padding) + " leaves a whole window of " + print(window.kernel) +
                      " outside the image");
  Shape result;
  if (!applyWindow(args, layer, args[0].shape[0], result, diagnostics))
    return false;
  // A maximum needs no zeros around the image.
  if (layer.kind == LayerKind::AvgPool && !checkReach(args, layer, result, diagnostics))
    return false;
  layer.flops = multiply({result[0], result[1], result[2], window.kernel[0], window.kernel[1]});
  return setResult(layer, std::move(result), diagnostics);
}

bool buildAvgPool(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  const Value &counts = args[4].value; // Keras leaves padding out of the mean
  layer.countPadding = counts.is(Value::Poison) ? !args[3].value.isWord("keras_same") : counts.getBoolean();
  return buildPool(args, layer, diagnostics);
}

bool buildGlobalAvgPool(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  layer.flops = countElements(args[0].shape);
  return setResult(layer, {args[0].shape[0]}, diagnostics);
}

bool buildFlatten(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  return setResult(layer, {countElements(args[0].shape)}, diagnostics);
}

bool buildLinear(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  int64_t in = args[0].shape[0], out = args[1].value.getInteger();
  addWeight(layer, {out, in}, args[3].value.getWord(), args[2].value.getBoolean());
  layer.flops = multiply({2, in, out});
  return setResult(layer, {out}, diagnostics);
}

bool buildDropout(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  layer.rate = args[1].value.getNumber();
  return setResult(layer, args[0].shape, diagnostics);
}

bool buildSubsample(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  const Shape &input = args[0].shape;
  const Args::Bound &given = args[1], &like = args[2];
  std::array<int64_t, 2> strides{};
  if (!isLikeAlone(given, like, diagnostics))
    return false;
  if (!isGiven(given) && !isGiven(like))
    return fail(diagnostics, layer.range, "'subsample' needs 'stride', or 'like': a tensor as large as the result");
  if (isGiven(like) && !findStrides(args[0], like, {input[1] - 1, input[2] - 1}, strides, diagnostics))
    return false;
  if (strides[0] != strides[1])
    return fail(diagnostics, like.range,
                "'subsample' has one stride for both directions, and " + print(like.shape) + " of " + print(input) +
                    " wants " + print(strides));
  int64_t stride = layer.amount = isGiven(like) ? strides[0] : given.value.getInteger();
  return setResult(layer, {input[0], int64_t(divideCeil(input[1], stride)), int64_t(divideCeil(input[2], stride))},
                   diagnostics);
}

bool buildPadChannels(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  const Shape &input = args[0].shape;
  const int64_t channels = args[1].value.getInteger();
  if (channels < input[0])
    return fail(diagnostics, args[1].range,
                "'pad_channels' adds channels: " + Twine(channels) + " are fewer than the input's " + Twine(input[0]));
  return setResult(layer, {channels, input[1], input[2]}, diagnostics);
}

std::vector<LayerDefinition> makeLayers() {
  using enum ArgumentType;
  auto one = Value::integer(1);
  auto no = Value::boolean(false), yes = Value::boolean(true);
  ArgumentSpec image{"x", Image, {}}, vector{"x", ArgumentType::Vector, {}}, tensor{"x", Tensor, {}};
  ArgumentSpec like{"like", Like, {}, true};
  ArgumentSpec size{"size", Size, {}}, poolStride{"stride", Size, {}, true}, poolPad{"pad", Padding, Value::integer(0)};
  return {
      {"conv",
       LayerKind::Conv,
       {image,
        {"channels", Count, {}},
        {"kernel", Size, {}},
        {"stride", Size, {}, true},
        {"pad", Padding, {}, true},
        {"dilation", Size, one},
        {"groups", Count, one},
        {"bias", Boolean, no},
        {"init", Init, Value::word("he_normal")},
        like},
       buildConv},
      {"batch_norm",
       LayerKind::BatchNorm,
       {image, {"epsilon", Positive, Value::number(1e-5)}, {"momentum", Fraction, Value::number(0.1)}},
       buildBatchNorm},
      {"relu", LayerKind::Op, {tensor}, buildPointwise},
      {"leaky_relu", LayerKind::Op, {tensor, {"slope", Rate, Value::number(0.01)}}, buildPointwise},
      {"silu", LayerKind::Op, {tensor}, buildPointwise},
      {"add", LayerKind::Op, {tensor, {"y", Tensor, {}}}, buildAdd},
      {"max_pool", LayerKind::MaxPool, {image, size, poolStride, poolPad}, buildPool},
      {"avg_pool",
       LayerKind::AvgPool,
       {image, size, poolStride, poolPad, {"count_include_pad", Boolean, {}, true}},
       buildAvgPool},
      {"global_avg_pool", LayerKind::Op, {image}, buildGlobalAvgPool},
      {"flatten", LayerKind::Op, {image}, buildFlatten},
      {"linear",
       LayerKind::Linear,
       {vector, {"features", Count, {}}, {"bias", Boolean, yes}, {"init", Init, Value::word("linear_uniform")}},
       buildLinear},
      {"dropout", LayerKind::Dropout, {tensor, {"rate", Rate, {}}}, buildDropout},
      {"softmax", LayerKind::Op, {vector}, buildPointwise},
      {"subsample", LayerKind::Subsample, {image, {"stride", Count, {}, true}, like}, buildSubsample},
      {"pad_channels", LayerKind::Op, {image, {"channels", Count, {}}}, buildPadChannels},
  };
}

bool isCount(int64_t value) { return value >= 1 && value <= maxCount; }

constexpr StringRef paddingWords[] = {"same", "keras_same", "valid"};
constexpr StringRef initWords[] = {"he_normal", "glorot_uniform", "linear_uniform", "zeros"};
constexpr StringRef allWords[] = {"same",           "keras_same",     "valid", "he_normal",
                                  "glorot_uniform", "linear_uniform", "zeros"};

bool isPadding(const Value &value) {
  if (value.is(Value::Word))
    return is_contained(paddingWords, value.getWord());
  SmallVector<int64_t> sides;
  if (value.is(Value::Integer))
    sides = {value.getInteger(), value.getInteger()};
  else if (!value.getIntegers(sides))
    return false;
  return (sides.size() == 2 || sides.size() == 4) && all_of(sides, [](int64_t s) { return s >= 0 && s <= maxCount; });
}

bool isSize(const Value &value) {
  SmallVector<int64_t> sizes;
  if (value.is(Value::Integer))
    return isCount(value.getInteger());
  return value.getIntegers(sizes) && sizes.size() == 2 && all_of(sizes, isCount);
}

} // namespace

ArrayRef<LayerDefinition> resin::frontend::getLayers() {
  static const std::vector<LayerDefinition> layers = makeLayers();
  return layers;
}

const LayerDefinition *resin::frontend::findLayer(StringRef name) {
  const auto *layer = find_if(getLayers(), [&](const LayerDefinition &layer) { return layer.name == name; });
  return layer == getLayers().end() ? nullptr : layer;
}

ArrayRef<StringRef> resin::frontend::getArgumentWords() { return allWords; }

static std::optional<resin::RealRange> getRange(ArgumentType type) {
  if (type == ArgumentType::Positive)
    return resin::RealRange::Positive;
  if (type == ArgumentType::Fraction)
    return resin::RealRange::UpToOne;
  if (type == ArgumentType::Rate)
    return resin::RealRange::BelowOne;
  return std::nullopt;
}

bool resin::frontend::isReal(ArgumentType type) { return getRange(type).has_value(); }

StringRef resin::frontend::describe(ArgumentType type) {
  switch (type) {
  case ArgumentType::Image:
  case ArgumentType::Like:
    return "a tensor [channels, height, width]";
  case ArgumentType::Vector:
    return "a tensor [features]";
  case ArgumentType::Tensor:
    return "a tensor";
  case ArgumentType::Count:
    return "an integer from 1 to 1048576";
  case ArgumentType::Size:
    return "an integer from 1 to 1048576 or [height, width]";
  case ArgumentType::Padding:
    return "an integer from 0, [height, width], [top, left, bottom, right], same, keras_same or valid";
  case ArgumentType::Boolean:
    return "true or false";
  case ArgumentType::Positive:
  case ArgumentType::Fraction:
  case ArgumentType::Rate:
    return resin::describe(*getRange(type));
  case ArgumentType::Init:
    return "he_normal, glorot_uniform, linear_uniform or zeros";
  }
  llvm_unreachable("all types are listed");
}

bool resin::frontend::isOfType(const Value &value, ArrayRef<int64_t> shape, ArgumentType type) {
  switch (type) {
  case ArgumentType::Image:
  case ArgumentType::Like:
    return value.is(Value::Tensor) && shape.size() == 3;
  case ArgumentType::Vector:
    return value.is(Value::Tensor) && shape.size() == 1;
  case ArgumentType::Tensor:
    return value.is(Value::Tensor);
  case ArgumentType::Count:
    return value.is(Value::Integer) && isCount(value.getInteger());
  case ArgumentType::Size:
    return isSize(value);
  case ArgumentType::Padding:
    return isPadding(value);
  case ArgumentType::Boolean:
    return value.is(Value::Boolean);
  case ArgumentType::Positive:
  case ArgumentType::Fraction:
  case ArgumentType::Rate:
    return value.isReal() && isInRange(value.getNumber(), *getRange(type));
  case ArgumentType::Init:
    return value.is(Value::Word) && is_contained(initWords, value.getWord());
  }
  llvm_unreachable("all types are listed");
}
