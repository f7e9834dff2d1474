//===- Storage.cpp - Tensors of a KernelSpec as Halide buffers ------------===//
//
// Shapes, strides and mins are constants, so that a kernel reads nothing of a
// buffer but its address. Blocked tensors stand on 64-byte boundaries; a piece of a
// dense one may begin at any element.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Builder.h"

using namespace Halide;

namespace resin::codegen {

std::vector<StorageDimension> storageDimensions(const TensorSpec &tensor) {
  std::vector<StorageDimension> result;
  for (const StorageAxis &axis : storageAxes(tensor))
    result.insert(result.begin(), {static_cast<int>(axis.min), static_cast<int>(axis.extent), axis.stride});
  return result;
}

/// Where an index along its dimension stands on an axis.
static Expr placeOn(AxisPart part, const Expr &index) {
  const int block = kChannelBlock;
  return part == AxisPart::Blocks ? index / block : part == AxisPart::Within ? index % block : index;
}

std::vector<Expr> storageIndex(const TensorSpec &tensor, const std::vector<Expr> &at) {
  std::vector<Expr> result;
  for (const LayoutAxis &axis : axesOf(tensor.layout, at.size()))
    result.insert(result.begin(), placeOn(axis.part, at[axis.dimension]));
  return result;
}

LogicalIndex logicalIndex(const TensorSpec &tensor, const std::vector<Expr> &place) {
  const int block = kChannelBlock;
  const size_t rank = tensor.shape.size();
  std::vector<Expr> at(rank);
  size_t next = place.size();
  for (const LayoutAxis &axis :
       axesOf(tensor.layout, rank)) { // the blocks of a dimension stand outside of what is within
    Expr &index = at[axis.dimension];
    const Expr &along = place[--next];
    index = axis.part == AxisPart::Blocks ? along * block : axis.part == AxisPart::Within ? index + along : along;
  }
  // Only blocked dimensions have padding.
  Expr real = Internal::const_true();
  for (size_t d = 0; d < rank; ++d)
    if (tensor.layout != LayoutKind::Dense && tensor.shape[d] % block) {
      const int last = tensor.shape[d] - 1;
      real = real && at[d] <= last;
      at[d] = min(at[d], last);
    }
  return {at, simplify(real)};
}

static void fix(OutputImageParam buffer, const TensorSpec &tensor) {
  std::vector<StorageDimension> dimensions = storageDimensions(tensor);
  for (size_t d = 0; d < dimensions.size(); ++d)
    buffer.dim(d)
        .set_bounds(dimensions[d].min, dimensions[d].extent)
        .set_stride(Expr(static_cast<int>(dimensions[d].stride)));
  buffer.set_host_alignment(tensor.layout == LayoutKind::Dense ? bytesOf(tensor.type) : 64);
}

Type typeOf(ElementType type) {
  switch (type) {
  case ElementType::F64:
    return Float(64);
  case ElementType::F32:
    return Float(32);
  case ElementType::BF16:
    return BFloat(16);
  case ElementType::F16:
    return Float(16);
  case ElementType::I32:
    return Int(32);
  case ElementType::U8:
    return UInt(8);
  }
  __builtin_unreachable();
}

ImageParam makeOperand(const TensorSpec &tensor, int index) {
  const int rank = storageDimensions(tensor).size();
  ImageParam operand(typeOf(tensor.type), rank, "operand" + std::to_string(index));
  fix(operand, tensor);
  return operand;
}

std::vector<ImageParam> makeOperands(const KernelSpec &spec) {
  std::vector<ImageParam> result;
  for (const TensorSpec &tensor : spec.operands)
    result.push_back(makeOperand(tensor, result.size()));
  return result;
}

ImageParam makePiece(const KernelSpec &spec) {
  return asksForPiece(spec) ? ImageParam(Int(32), 0, "piece") : ImageParam();
}

void bindResult(Func result, const TensorSpec &tensor) {
  fix(result.output_buffer(), tensor);
  std::vector<StorageDimension> dimensions = storageDimensions(tensor);
  for (size_t d = 0; d < dimensions.size(); ++d)
    result.bound(result.args()[d], 0, dimensions[d].extent + 2 * dimensions[d].min);
}

Expr hiddenZero(Expr anything) {
  Expr bits = reinterpret<uint32_t>(anything); // no square is 5 modulo 8
  return select(bits * bits % 8 == 5, 1.f, 0.f);
}

void zeroRing(Func result, const TensorSpec &tensor, const Machine &machine, const ImageParam &piece) {
  if (!tensor.halo)
    return;
  assert(tensor.shape.size() == 4 && "only activations have a halo");
  const int halo = tensor.halo, h = tensor.shape[2], w = tensor.shape[3];
  const size_t x = tensor.layout == LayoutKind::C16 ? 1 : 0; // (ki,) x, y, ...
  std::vector<Expr> at;
  for (const Var &v : result.args())
    at.push_back(v);
  // Rows above and below over the whole width, then what is left at the sides. Above and below a band these are the
  // neighbours' rows, but for the first band and the last.
  RDom rows(-halo, w + 2 * halo, 0, 2 * halo, result.name() + "_rows"),
      sides(0, 2 * halo, 0, h, result.name() + "_sides");
  if (tensor.storedRows) {
    assert(piece.defined() && "the kernel asks for its piece");
    const int last = static_cast<int>(tensor.storedRows) / h - 1;
    rows.where(select(rows.y >= halo, piece() == last, piece() == 0));
  }
  at[x] = rows.x, at[x + 1] = rows.y - halo + select(rows.y >= halo, h, 0);
  result(at) = hiddenZero(result(at));
  at[x] = sides.x - halo + select(sides.x >= halo, w, 0), at[x + 1] = sides.y;
  result(at) = hiddenZero(result(at));
  if (tensor.layout != LayoutKind::C16)
    return;
  const Var ki = result.args()[0];
  result.update(0).reorder(ki, rows.x, rows.y).vectorize(ki, machine.vectorFloats);
  result.update(1).reorder(ki, sides.x, sides.y).vectorize(ki, machine.vectorFloats);
}

} // namespace resin::codegen
