//===- ConvGeneric.cpp - Convolutions of any layout, group and padding ----===//
//
// Reads and writes elements by their logical coordinates and checks every border:
// correct for what no template takes, and slow.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/Conv.h"

using namespace Halide;

namespace resin::codegen {

namespace {

class GenericConv {
public:
  GenericConv(ConvKernel &conv) : conv(conv) {}

  void build(std::vector<Func> &outputs) {
    outputs.resize(conv.spec.results.size());
    for (auto [result, number] : conv.epilogue.values())
      outputs[result] = defineValue("result" + std::to_string(result), number, conv.spec.results[result]);
    for (auto [result, number] : conv.epilogue.values()) {
      bindResult(outputs[result], conv.spec.results[result]);
      zeroRing(outputs[result], conv.spec.results[result], conv.machine, conv.piece);
    }
    for (const Epilogue::Reduction &r : conv.epilogue.reductions())
      outputs[r.result] = defineReduction(r, outputs);
  }

private:
  ConvKernel &conv;
  const ConvShape &shape = conv.shape;

  /// An activation's element, or 0 outside its image.
  Expr element(int operand, Expr n, Expr c, Expr y, Expr x, Expr valid) const {
    const TensorSpec &tensor = conv.operandSpec(operand);
    const int h = tensor.shape[2], w = tensor.shape[3];
    valid = valid && y >= 0 && y < h && x >= 0 && x < w;
    return select(valid, conv.operand(operand)(storageIndex(tensor, {n, c, clamp(y, 0, h - 1), clamp(x, 0, w - 1)})),
                  0.f);
  }

  /// What is summed at logical `at` over `taps` (the weight gradient: over a row
  /// `taps.x` of image `n`).
  Expr forwardTerm(const std::vector<Expr> &at, const RDom &taps) const {
    const int perGroup = shape.c / shape.groups;
    Expr c = at[1] / (shape.k / shape.groups) * perGroup + taps.z;
    Expr x = at[3] * shape.strideX + taps.x * shape.dilationX - shape.left;
    Expr y = at[2] * shape.strideY + taps.y * shape.dilationY - shape.top;
    return element(0, at[0], c, y, x, Internal::const_true()) * filter({at[1], taps.z, taps.y, taps.x});
  }
  Expr gradDataTerm(const std::vector<Expr> &at, const RDom &taps) const {
    const int perGroup = shape.k / shape.groups, channels = shape.c / shape.groups;
    Expr k = at[1] / channels * perGroup + taps.z;
    Expr x = at[3] + shape.left - taps.x * shape.dilationX, y = at[2] + shape.top - taps.y * shape.dilationY;
    Expr onGrid = x % shape.strideX == 0 && y % shape.strideY == 0;
    return element(0, at[0], k, y / shape.strideY, x / shape.strideX, onGrid) *
           filter({k, at[1] % channels, taps.y, taps.x});
  }
  Expr gradWeightTerm(const std::vector<Expr> &at, Expr n, Expr row, Expr column) const {
    const size_t k = at.size() - 4;
    Expr c = at[k] / (shape.k / shape.groups) * (shape.c / shape.groups) + at[k + 1];
    Expr x = column * shape.strideX + at[k + 3] * shape.dilationX - shape.left,
         y = row * shape.strideY + at[k + 2] * shape.dilationY - shape.top;
    return element(0, n, c, y, x, Internal::const_true()) * element(1, n, at[k], row, column, Internal::const_true());
  }
  Expr filter(const std::vector<Expr> &at) const { return conv.operand(1)(storageIndex(conv.operandSpec(1), at)); }

  /// The anchor's value in the storage of `tensor`, at `args`.
  Func defineSum(const std::string &name, const std::vector<Var> &args, const std::vector<Expr> &at) {
    Func sum(name);
    sum(args) = 0.f;
    if (conv.direction != ConvDirection::GradWeight) {
      const bool forward = conv.direction == ConvDirection::Forward;
      RDom taps(0, shape.s, 0, shape.r, 0, (forward ? shape.c : shape.k) / shape.groups, "taps");
      sum(args) += forward ? forwardTerm(at, taps) : gradDataTerm(at, taps);
      return sum;
    }
    // Rows first: sums of two levels keep the precision of long ones.
    Func row(name + "_row");
    Var y("y"), n("n");
    RDom x(0, shape.ow, "x"), rows(0, shape.oh, 0, shape.n, "rows");
    std::vector<Var> rowArgs = args;
    rowArgs.insert(rowArgs.end(), {y, n});
    std::vector<Expr> rowAt(args.begin(), args.end());
    rowAt.insert(rowAt.end(), {rows.x, rows.y});
    row(rowArgs) = 0.f;
    row(rowArgs) += gradWeightTerm(at, n, y, x);
    sum(args) += row(rowAt);
    row.compute_at(sum, rows.x);
    return sum;
  }

  /// Value `number` over the whole piece, in the storage of `tensor`.
  Func defineValue(const std::string &name, int number, const TensorSpec &tensor) {
    std::vector<Var> args;
    for (size_t d = 0; d < storageDimensions(tensor).size(); ++d)
      args.push_back(Var("d" + std::to_string(d)));
    auto [at, real] = logicalIndex(tensor, {args.begin(), args.end()});
    Func value(name), sum = defineSum(name + "_sum", args, at);
    Expr result = sum(args);
    const int block = kChannelBlock;
    if (conv.direction != ConvDirection::GradWeight)
      result = conv.epilogue.pointwise(number, result, {at[1] % block, at[3], at[2], at[1] / block, at[0]});
    std::vector<Expr> first;
    for (const StorageDimension &d : storageDimensions(conv.operandSpec(1)))
      first.push_back(d.min);
    value(args) = select(real, result, hiddenZero(conv.operand(1)(first)));
    sum.compute_at(value, args[0]);
    return value;
  }

  /// The value in memory that a channel sum reads: a result, or a scratch.
  Func valueOf(int number, const std::vector<Func> &outputs) {
    for (auto [result, yielded] : conv.epilogue.values())
      if (yielded == number)
        return outputs[result];
    if (number < static_cast<int>(conv.operands.size()))
      return conv.operands[number];
    throw CompileError("a channel sum of a generic convolution reads a value that is no result");
  }
  const TensorSpec &specOf(int number) {
    for (auto [result, yielded] : conv.epilogue.values())
      if (yielded == number)
        return conv.spec.results[result];
    return conv.spec.operands[number];
  }

  Func defineReduction(const Epilogue::Reduction &r, const std::vector<Func> &outputs) {
    const TensorSpec &tensor = conv.spec.results[r.result];
    Var c("c"), p("p");
    const int h = specOf(r.lhs).shape[2], w = specOf(r.lhs).shape[3];
    RDom pixels(0, w, 0, h, 0, shape.n, "pixels");
    auto [at, real] = logicalIndex(tensor, {c, p});
    auto read = [&](int number) {
      return cast<double>(
          valueOf(number, outputs)(storageIndex(specOf(number), {pixels.z, at[1], pixels.y, pixels.x})));
    };
    Func total("total" + std::to_string(r.result)), out("result" + std::to_string(r.result));
    Expr term = read(r.lhs);
    if (r.rhs >= 0)
      term = term * read(r.rhs);
    total(c, p) = cast<double>(0);
    total(c, p) += term;
    out(c, p) = cast(typeOf(tensor.type), select(real, total(c, p), cast<double>(0)));
    total.compute_at(out, c);
    bindResult(out, tensor);
    return out;
  }
};

} // namespace

void buildConvGeneric(ConvKernel &conv, std::vector<Func> &outputs) { GenericConv(conv).build(outputs); }

} // namespace resin::codegen
