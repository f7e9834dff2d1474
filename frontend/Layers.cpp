//===- Layers.cpp - The layers a model can call ---------------------------===//
//
// Defaults are those of the papers and of torchvision; where Keras's meaning
// differs (`keras_same`), it has a word of its own.
//
//===----------------------------------------------------------------------===//

#include "frontend/Layers.h"

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
// Windows
//===----------------------------------------------------------------------===//

std::array<int64_t, 2> getPair(const Value &value) {
  SmallVector<int64_t> pair;
  if (!value.getIntegers(pair))
    return {value.getInteger(), value.getInteger()};
  return {pair[0], pair[1]};
}

/// The window's extent in pixels: a dilated window reaches further.
int64_t getExtent(const Window &window, unsigned dim) { return window.dilations[dim] * (window.kernel[dim] - 1) + 1; }

/// PyTorch's: the same on both sides.
bool padSame(const Args::Bound &padding, StringRef layerName, SMRange where, Window &window, Diagnostics &diagnostics) {
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
void padKerasSame(ArrayRef<int64_t> input, Window &window) {
  for (unsigned dim : {0, 1}) {
    int64_t size = input[dim + 1], stride = window.strides[dim];
    int64_t total = std::max<int64_t>((divideCeil(size, stride) - 1) * stride + getExtent(window, dim) - size, 0);
    window.padding[dim] = total / 2;
    window.padding[dim + 2] = total - total / 2;
  }
}

bool padWindow(const Args &args, const Args::Bound &padding, bool isSameDefault, StringRef name, SMRange where,
               Window &window, Diagnostics &diagnostics) {
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

/// The window's result on an image, or nothing where it doesn't fit.
bool applyWindow(const Args &args, const Layer &layer, int64_t channels, Shape &result, Diagnostics &diagnostics) {
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

//===----------------------------------------------------------------------===//
// The layers, in the order of the table below
//===----------------------------------------------------------------------===//

bool buildConv(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  int64_t inputs = args[0].shape[0], outputs = args[1].value.getInteger(), groups = args[6].value.getInteger();
  Window &window = layer.window;
  window.kernel = getPair(args[2].value);
  window.strides = getPair(args[3].value);
  window.dilations = getPair(args[5].value);
  layer.groups = groups;
  if (!padWindow(args, args[4], /*isSameDefault=*/true, "conv", layer.range, window, diagnostics))
    return false;
  for (int64_t channels : {inputs, outputs})
    if (channels % groups)
      return fail(diagnostics, args[6].range,
                  Twine(groups) + " groups don't divide the " + Twine(channels) +
                      (channels == inputs ? " channels of the input" : " channels of the result"));

  Shape result;
  if (!applyWindow(args, layer, outputs, result, diagnostics))
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
                                              : "the sizes differ";
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
  int64_t stride = layer.amount = args[1].value.getInteger();
  return setResult(layer, {input[0], int64_t(divideCeil(input[1], stride)), int64_t(divideCeil(input[2], stride))},
                   diagnostics);
}

bool buildPadChannels(const Args &args, Layer &layer, Diagnostics &diagnostics) {
  const Shape &input = args[0].shape;
  layer.amount = args[1].value.getInteger();
  if (layer.amount < input[0])
    return fail(diagnostics, args[1].range,
                "'pad_channels' adds channels: " + Twine(layer.amount) + " are fewer than the input's " +
                    Twine(input[0]));
  return setResult(layer, {layer.amount, input[1], input[2]}, diagnostics);
}

std::vector<LayerDefinition> makeLayers() {
  using enum ArgumentType;
  auto one = Value::integer(1);
  auto no = Value::boolean(false), yes = Value::boolean(true);
  ArgumentSpec image{"x", Image, {}}, vector{"x", ArgumentType::Vector, {}}, tensor{"x", Tensor, {}};
  ArgumentSpec size{"size", Size, {}}, poolStride{"stride", Size, {}, true}, poolPad{"pad", Padding, Value::integer(0)};
  return {
      {"conv",
       LayerKind::Conv,
       {image,
        {"channels", Count, {}},
        {"kernel", Size, {}},
        {"stride", Size, one},
        {"pad", Padding, {}, true},
        {"dilation", Size, one},
        {"groups", Count, one},
        {"bias", Boolean, no},
        {"init", Init, Value::word("he_normal")}},
       buildConv},
      {"batch_norm",
       LayerKind::BatchNorm,
       {image, {"epsilon", Positive, Value::number(1e-5)}, {"momentum", Fraction, Value::number(0.1)}},
       buildBatchNorm},
      {"relu", LayerKind::Relu, {tensor}, buildPointwise},
      {"add", LayerKind::Add, {tensor, {"y", Tensor, {}}}, buildAdd},
      {"max_pool", LayerKind::MaxPool, {image, size, poolStride, poolPad}, buildPool},
      {"avg_pool",
       LayerKind::AvgPool,
       {image, size, poolStride, poolPad, {"count_include_pad", Boolean, {}, true}},
       buildAvgPool},
      {"global_avg_pool", LayerKind::GlobalAvgPool, {image}, buildGlobalAvgPool},
      {"flatten", LayerKind::Flatten, {image}, buildFlatten},
      {"linear",
       LayerKind::Linear,
       {vector, {"features", Count, {}}, {"bias", Boolean, yes}, {"init", Init, Value::word("linear_uniform")}},
       buildLinear},
      {"dropout", LayerKind::Dropout, {tensor, {"rate", Rate, {}}}, buildDropout},
      {"softmax", LayerKind::Softmax, {vector}, buildPointwise},
      {"subsample", LayerKind::Subsample, {image, {"stride", Count, {}}}, buildSubsample},
      {"pad_channels", LayerKind::PadChannels, {image, {"channels", Count, {}}}, buildPadChannels},
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
