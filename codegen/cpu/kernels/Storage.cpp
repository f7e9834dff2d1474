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

Machine machineOf(const Target &target) {
  if (target.has_feature(Target::AVX512_Skylake))
    return {target, 16, 32};
  if (target.has_feature(Target::AVX2))
    return {target, 8, 16};
  return {target, 4, 16};
}

static int64_t blocks(int64_t channels) { return (channels + kChannelBlock - 1) / kChannelBlock; }

/// Dimensions before strides are known: (min, extent), innermost first.
static std::vector<std::pair<int64_t, int64_t>> ranges(const TensorSpec &tensor) {
  const std::vector<int64_t> &s = tensor.shape;
  const int64_t halo = tensor.halo, rank = s.size();
  auto ringed = [&](int64_t extent) { return std::pair<int64_t, int64_t>(-halo, extent + 2 * halo); };
  auto plain = [](int64_t extent) { return std::pair<int64_t, int64_t>(0, extent); };
  switch (tensor.layout) {
  case LayoutKind::Dense: {
    std::vector<std::pair<int64_t, int64_t>> result;
    for (int64_t d = rank - 1; d >= 0; --d)
      result.push_back(rank == 4 && d >= 2 ? ringed(s[d]) : plain(s[d]));
    return result;
  }
  case LayoutKind::C16:
    if (rank == 4)
      return {plain(kChannelBlock), ringed(s[3]), ringed(s[2]), plain(blocks(s[1])), plain(s[0])};
    if (rank == 2)
      return {plain(blocks(s[1]) * kChannelBlock), plain(s[0])};
    return {plain(blocks(s[0]) * kChannelBlock)};
  case LayoutKind::K16C16: {
    const size_t k = rank - 4;
    std::vector<std::pair<int64_t, int64_t>> result = {plain(kChannelBlock),    plain(kChannelBlock),
                                                       plain(s[k + 3]),         plain(s[k + 2]),
                                                       plain(blocks(s[k + 1])), plain(blocks(s[k]))};
    if (k)
      result.push_back(plain(s[0]));
    return result;
  }
  case LayoutKind::K16: {
    if (rank == 2)
      return {plain(kChannelBlock), plain(s[1]), plain(blocks(s[0]))};
    const size_t k = rank - 4;
    std::vector<std::pair<int64_t, int64_t>> result = {plain(kChannelBlock), plain(s[k + 3]), plain(s[k + 2]),
                                                       plain(s[k + 1]), plain(blocks(s[k]))};
    if (k)
      result.push_back(plain(s[0]));
    return result;
  }
  case LayoutKind::C16K16:
    return {plain(kChannelBlock), plain(kChannelBlock), plain(s[3]),
            plain(s[2]),          plain(blocks(s[0])),  plain(blocks(s[1]))};
  }
  return {};
}

std::vector<StorageDimension> storageDimensions(const TensorSpec &tensor) {
  std::vector<StorageDimension> result;
  int64_t stride = 1;
  const size_t rows = tensor.layout == LayoutKind::C16 ? 2 : 1; // the dimension of an image's rows
  for (auto [min, extent] : ranges(tensor)) {
    // In a band of rows, planes stand as far apart as in the whole.
    const bool isBand = tensor.storedRows && result.size() == rows;
    result.push_back({static_cast<int>(min), static_cast<int>(extent), stride});
    stride *= isBand ? tensor.storedRows + 2 * tensor.halo : extent;
  }
  // A slice of a tensor's channels: images stand as far apart as in the whole.
  if (tensor.storedChannels && tensor.shape.size() == 4) {
    const int64_t perChannel = tensor.layout == LayoutKind::C16 ? result[3].stride / kChannelBlock : result[2].stride;
    const int64_t stored =
        tensor.layout == LayoutKind::C16 ? blocks(tensor.storedChannels) * kChannelBlock : tensor.storedChannels;
    result.back().stride = perChannel * stored;
  }
  return result;
}

std::vector<Expr> storageIndex(const TensorSpec &tensor, const std::vector<Expr> &at) {
  const int block = kChannelBlock;
  const size_t rank = at.size();
  switch (tensor.layout) {
  case LayoutKind::Dense:
    return {at.rbegin(), at.rend()};
  case LayoutKind::C16:
    if (rank == 4)
      return {at[1] % block, at[3], at[2], at[1] / block, at[0]};
    if (rank == 2)
      return {at[1], at[0]};
    return {at[0]};
  case LayoutKind::K16C16: {
    const size_t k = rank - 4;
    std::vector<Expr> result = {at[k] % block, at[k + 1] % block, at[k + 3],
                                at[k + 2],     at[k + 1] / block, at[k] / block};
    if (k)
      result.push_back(at[0]);
    return result;
  }
  case LayoutKind::K16: {
    if (rank == 2)
      return {at[0] % block, at[1], at[0] / block};
    const size_t k = rank - 4;
    std::vector<Expr> result = {at[k] % block, at[k + 3], at[k + 2], at[k + 1], at[k] / block};
    if (k)
      result.push_back(at[0]);
    return result;
  }
  case LayoutKind::C16K16:
    return {at[1] % block, at[0] % block, at[3], at[2], at[0] / block, at[1] / block};
  }
  return {};
}

LogicalIndex logicalIndex(const TensorSpec &tensor, const std::vector<Expr> &place) {
  const int block = kChannelBlock;
  const size_t rank = tensor.shape.size(), first = rank == 5 ? 1 : 0; // lanes come first
  std::vector<Expr> at(rank);
  if (first)
    at[0] = place.back();
  switch (tensor.layout) {
  case LayoutKind::Dense:
    at.assign(place.rbegin(), place.rend());
    break;
  case LayoutKind::C16:
    if (rank == 4)
      at = {place[4], place[3] * block + place[0], place[2], place[1]};
    else
      at.assign(place.rbegin(), place.rend());
    break;
  case LayoutKind::K16C16:
    at[first] = place[5] * block + place[0], at[first + 1] = place[4] * block + place[1], at[first + 2] = place[3],
    at[first + 3] = place[2];
    break;
  case LayoutKind::K16:
    if (rank == 2)
      at = {place[2] * block + place[0], place[1]};
    else
      at[first] = place[4] * block + place[0], at[first + 1] = place[3], at[first + 2] = place[2],
      at[first + 3] = place[1];
    break;
  case LayoutKind::C16K16:
    at = {place[4] * block + place[1], place[5] * block + place[0], place[3], place[2]};
    break;
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
  buffer.set_host_alignment(tensor.layout == LayoutKind::Dense ? elementBytes(tensor.type) : 64);
}

Type typeOf(ElementType type) {
  switch (type) {
  case ElementType::F32:
    return Float(32);
  case ElementType::F64:
    return Float(64);
  case ElementType::I32:
    return Int(32);
  }
  return {};
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
