//===- ConvWinograd.cpp - 3x3 convolutions by Winograd's F(4x4, 3x3) ------===//
//
// A tile of 4x4 results takes 36 multiplications for each pair of channels where the
// direct form takes 144. Forward convolutions and data gradients of stride 1.
//
//   1. V      tiles of the source at 36 points, for the whole piece
//   2. U      the filter at the 36 points, for one block of result channels
//   3. M      36 matrix products U x V for one block and a group of tiles
//   4. Y      4x4 results of a tile, in registers, where the epilogue meets them
//
// Maps that are no multiple of 4 read the zero ring and store the last tiles in part.
//
//===----------------------------------------------------------------------===//

#include "codegen/schedules/ConvWinograd.h"

#include "codegen/schedules/ConvTile.h"

#include <algorithm>

using namespace Halide;

namespace resin::codegen {

namespace {

using winograd::kPoints, winograd::kTile;

class WinogradConv : public ConvTile {
public:
  WinogradConv(ConvKernel &conv, const WinogradKnobs &knobs)
      : ConvTile(conv, {kTile, kTile, 1, 1, false}), knobs(knobs) {}

private:
  const WinogradKnobs knobs;
  const int block = kChannelBlock;
  /// Tiles of a row, rows of tiles, tiles of the piece and of a group; a group's rounded up to register tiles.
  const int across = (width + kTile - 1) / kTile, down = (height + kTile - 1) / kTile, all = across * down * shape.n;
  const int group = across * knobs.rows * knobs.images, rounded = (group + knobs.tiles - 1) / knobs.tiles * knobs.tiles;

  Func filterRows{"filter_rows"}, U{"U"}, sourceRows{"source_rows"}, V{"V"}, acc{"acc"}, M{"M"}, Z{"Z"}, Y{"Y"};
  Var c{"c"}, t{"t"}, i{"i"}, j{"j"}, ci{"ci"}, cb{"cb"};
  Var yoo{"yoo"}, yoi{"yoi"}, noo{"noo"}, noi{"noi"}, to{"to"}, ti{"ti"}, cv{"cv"}, cii{"cii"};
  RDom channel;

  static Expr at(Func f, int points, const std::function<std::vector<Expr>(Expr)> &place,
                 std::vector<Expr> (*transform)(const std::vector<Expr> &), Expr which) {
    std::vector<Expr> values;
    for (int q = 0; q < points; ++q)
      values.push_back(f(place(q)));
    return mux(which, transform(values));
  }

  void defineAnchor() override {
    defineFilter();
    defineSource();
    channel = RDom(0, block, 0, sourceBlocks, "channel");
    acc(ki, t, i, j, kb) = 0.f;
    acc(ki, t, i, j, kb) += U(ki, channel.y * block + channel.x, i, j, kb) * V(channel.x, t, i, j, channel.y);
    M(ki, t, i, j, kb) = acc(ki, t, i, j, kb);
    Z(ki, i, y, t, kb) = at(
        M, kPoints,
        [&](Expr q) {
          return std::vector<Expr>{ki, t, i, q, kb};
        },
        winograd::output, y);
    Y(ki, x, y, t, kb) = at(
        Z, kPoints,
        [&](Expr q) {
          return std::vector<Expr>{ki, q, y, t, kb};
        },
        winograd::output, x);
  }

  /// U(ki, c, i, j, kb): column i, row j of the points. The data gradient's taps are flipped.
  void defineFilter() {
    auto tap = [&](Expr s, int r) {
      return conv.operand(1)(ki, c % block, forward ? s : 2 - s, forward ? r : 2 - r, c / block, kb);
    };
    filterRows(ki, i, j, c, kb) = winograd::filter(j, {tap(i, 0), tap(i, 1), tap(i, 2)});
    U(ki, c, i, j, kb) =
        winograd::filter(i, {filterRows(ki, 0, j, c, kb), filterRows(ki, 1, j, c, kb), filterRows(ki, 2, j, c, kb)});
  }

  /// V(ci, t, i, j, cb): tiles are numbered through rows and images, so that the
  /// rows of the matrix products run on across them.
  void defineSource() {
    Expr tile = rounded > group ? min(t, all - 1) : Expr(t);
    Expr tx = tile % across, ty = tile / across % down, image = tile / (across * down);
    // Pixel `width` stands in the ring.
    auto edge = [](Expr at, int extent) { return extent % kTile ? min(at, extent) : at; };
    std::vector<Expr> column, row;
    for (int q = 0; q < kPoints; ++q)
      column.push_back(
          conv.operand(0)(ci, edge(tx * kTile + i - 1, width), edge(ty * kTile + q - 1, height), cb, image));
    sourceRows(ci, i, j, t, cb) = mux(j, winograd::input(column));
    for (int q = 0; q < kPoints; ++q)
      row.push_back(sourceRows(ci, q, j, t, cb));
    V(ci, t, i, j, cb) = mux(i, winograd::input(row));
  }

  Expr anchor(const Coordinates &at) const override {
    return Y(at.ki, at.x % kTile, at.y % kTile, at.x / kTile + across * (at.y / kTile + down * at.n), at.kb);
  }

  void splitTileLoops(Func f) override {
    f.split(yo, yoo, yoi, knobs.rows, TailStrategy::RoundUp).split(no, noo, noi, knobs.images, TailStrategy::RoundUp);
  }
  std::vector<VarOrRVar> loopOrder() const override { return {xo, yoi, kvo, noi, yoo, noo, kbo}; }

  void scheduleAnchor(Func master) override {
    for (Func f : {Z, Y})
      f.compute_at(master, xo).store_in(MemoryType::Register).bound_extent(t, 1).bound_extent(kb, 1);
    Z.reorder(ki, y, i).vectorize(ki, vectorFloats).unroll(i).unroll(y);
    Y.bound_extent(x, kTile).bound_extent(y, kTile).reorder(ki, x, y).vectorize(ki, vectorFloats).unroll(x).unroll(y);
    scheduleProducts(master);
    scheduleFilter(master);
    scheduleSource();
  }

  /// 36 products; the panel of U stays in L1 while the tiles pass.
  void scheduleProducts(Func master) {
    M.compute_at(master, yoo)
        .store_in(kStackScratch)
        .bound_extent(t, rounded)
        .align_storage(t, rounded | 1)
        .bound_extent(kb, 1);
    M.split(t, to, ti, knobs.tiles, TailStrategy::RoundUp).split(ki, kv, kii, vectorFloats);
    M.reorder(kii, kv, ti, to, i, j).vectorize(kii).unroll(kv).unroll(ti);
    acc.compute_at(M, to).store_in(MemoryType::Register).vectorize(ki, vectorFloats).unroll(ki).unroll(t).unroll(kb);
    RVar outer("outer"), inner("inner");
    acc.update().split(channel.x, outer, inner, knobs.channels).split(ki, kv, kii, vectorFloats);
    acc.update()
        .reorder({kii, kv, kb, t, inner, outer, channel.y})
        .vectorize(kii)
        .unroll(kv)
        .unroll(t)
        .unroll(inner)
        .unroll(kb);
  }

  void scheduleFilter(Func master) {
    const int channels = sourceBlocks * block;
    if (knobs.filterInRows)
      U.compute_at(M, j);
    else
      U.compute_at(master, kbo);
    U.store_in(kStackScratch)
        .align_storage(c, channels | 1)
        .bound_extent(kb, 1)
        .split(ki, kv, kii, vectorFloats)
        .reorder(kii, i, kv, j, c)
        .vectorize(kii)
        .unroll(i);
    filterRows.compute_at(U, j).store_in(MemoryType::Register).reorder(ki, i).vectorize(ki, vectorFloats).unroll(i);
  }

  /// Odd strides in cache lines keep the 36 streams of stores in different sets.
  void scheduleSource() {
    V.compute_root().store_in(kStackScratch).align_storage(t, (all - group + rounded) | 1);
    V.split(ci, cv, cii, vectorFloats).reorder(cii, i, j, cv, t, cb).vectorize(cii).unroll(i).unroll(j);
    sourceRows.compute_at(V, cv)
        .store_in(MemoryType::Register)
        .reorder(ci, j, i)
        .vectorize(ci, vectorFloats)
        .unroll(i)
        .unroll(j);
  }
};

} // namespace

bool buildConvWinograd(ConvKernel &conv, std::vector<Func> &outputs) {
  const ConvShape &s = conv.shape;
  const LayoutKind filter = conv.direction == ConvDirection::Forward ? LayoutKind::K16C16 : LayoutKind::C16K16;
  if (conv.direction == ConvDirection::GradWeight || s.groups != 1 || s.r != 3 || s.s != 3 || s.strideX != 1 ||
      s.strideY != 1 || s.dilationX != 1 || s.dilationY != 1 || s.top != 1 || s.left != 1 || s.h != s.oh || s.w != s.ow)
    return false;
  if (conv.operandSpec(0).layout != LayoutKind::C16 || conv.operandSpec(0).halo < 1 ||
      conv.operandSpec(1).layout != filter || !suitsTiles(conv))
    return false;
  const WinogradKnobs knobs = defaultWinogradKnobs(conv);
  if (!knobs.tiles)
    return false;
  WinogradConv(conv, knobs).build(outputs);
  return true;
}

} // namespace resin::codegen
