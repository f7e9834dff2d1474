//===- ConvWinograd.cpp - 3x3 convolutions by Winograd's method -----------===//
//
// F(4x4, 3x3): a tile of 4x4 results takes 36 multiplications for each pair of
// channels where the direct form takes 144. F(2x2, 3x3): 16 instead of 36, with
// transforms of additions alone, as accurate as the direct form. Forward convolutions
// and data gradients of stride 1.
//
//   1. V      tiles of the source at their points, for the whole piece
//   2. U      the filter at the points, for one block of result channels and a
//             chunk of source channels, unless it comes at its points
//   3. M      matrix products U x V, one for each point, for one block and a group of
//             tiles, summed over the chunks
//   4. Y      the results of a tile, in registers, where the epilogue meets them
//
// Maps that are no multiple of a tile read the zero ring and store the last tiles in
// part.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/schedules/ConvWinograd.h"

#include "codegen/cpu/schedules/ConvTile.h"
#include "codegen/cpu/schedules/Winograd.h"

#include <algorithm>

using namespace Halide;

namespace resin::codegen {

namespace {

class WinogradConv : public ConvTile {
public:
  WinogradConv(ConvKernel &conv, const WinogradKnobs &knobs)
      : ConvTile(conv, {knobs.tile, knobs.tile, 1, 1, false, false}), knobs(knobs) {}

private:
  const WinogradKnobs knobs;
  const winograd::Form &form = winograd::formOf(knobs.tile);
  const int block = kChannelBlock, size = form.points();
  const int chunkBlocks = knobs.chunk ? knobs.chunk : sourceBlocks;
  /// Blocks of result channels whose products are kept together. With a filter that comes at its points, all of them:
  /// then the tiles at a point stay in L1 while its part of the filter, far larger, streams by.
  const int groupBlocks = conv.pointsTile() ? resultBlocks : knobs.blocks;
  const winograd::Grid grid{knobs.tile, width, height, shape.n};
  /// Tiles of a group, and rounded up to register tiles.
  const int group = grid.across() * knobs.rows * knobs.images,
            rounded = (group + knobs.tiles - 1) / knobs.tiles * knobs.tiles;

  Func filterRows{"filter_rows"}, U{"U"}, acc{"acc"}, M{"M"}, Z{"Z"}, Y{"Y"};
  winograd::Points V;
  Var c{"c"}, t{"t"}, i{"i"}, j{"j"}, chunk{"chunk"};
  Var kboo{"kboo"}, kbm{"kbm"}, kbp{"kbp"}, yoo{"yoo"}, yoi{"yoi"}, noo{"noo"}, noi{"noi"}, to{"to"}, ti{"ti"};
  RDom channel, chunks;

  static Expr at(Func f, int points, const std::function<std::vector<Expr>(Expr)> &place,
                 std::vector<Expr> (*transform)(const std::vector<Expr> &), Expr which) {
    std::vector<Expr> values;
    for (int q = 0; q < points; ++q)
      values.push_back(f(place(q)));
    return mux(which, transform(values));
  }

  void defineAnchor() override {
    if (!conv.pointsTile())
      defineFilter();
    V = winograd::transform("V", conv.operand(0), grid, size, 1, conv.shape.top, form.input);
    channel = RDom(0, block, 0, chunkBlocks, "channel");
    chunks = RDom(0, sourceBlocks / chunkBlocks, "chunks");
    Expr c16 = chunk * chunkBlocks + channel.y;
    acc(ki, t, i, j, kb, chunk) = 0.f;
    Expr product = filter(c16 * block + channel.x) * V.points(channel.x, t, i, j, c16);
    acc(ki, t, i, j, kb, chunk) += product;
    M(ki, t, i, j, kb) = undef<float>();
    M(ki, t, i, j, kb) = select(chunks == 0, 0.f, M(ki, t, i, j, kb)) + acc(ki, t, i, j, kb, chunks);
    Z(ki, i, y, t, kb) = at(
        M, size,
        [&](Expr q) {
          return std::vector<Expr>{ki, t, i, q, kb};
        },
        form.output, y);
    Y(ki, x, y, t, kb) = at(
        Z, size,
        [&](Expr q) {
          return std::vector<Expr>{ki, q, y, t, kb};
        },
        form.output, x);
  }

  Expr filter(Expr source) const {
    return conv.pointsTile() ? conv.operand(1)(ki, source, i, j, kb) : U(ki, source, i, j, kb);
  }

  /// Zero, and on the way a line of the part of the filter that comes next: for the next blocks of result channels at
  /// this point, or the first at the next. It comes in while this part meets its tiles.
  Expr fetchPoints() const {
    const int passes = rounded / knobs.tiles, channels = sourceBlocks * block, lineFloats = block;
    int step = 1; // channels from line to line
    while (2 * step <= std::min(knobs.channels, passes / knobs.blocks))
      step *= 2;
    Expr line =
        min(t / knobs.tiles * (channels / step) + (channel.y * block + channel.x) / step, knobs.blocks * channels - 1);
    Expr first = kb / knobs.blocks * knobs.blocks + knobs.blocks, point = j * size + i;
    Expr isLast = first >= groupBlocks;
    Expr at =
        ((select(isLast, 0, first) + line / channels) * (size * size) + select(isLast, point + 1, point)) * channels +
        line % channels;
    Expr isDue = t % knobs.tiles == 0 && kb % knobs.blocks == 0 && ki / vectorFloats == 0 && channel.x % step == 0;
    return cast<float>(select(isDue, fetchLine(conv.operand(1).name(), at * lineFloats), 0));
  }

  /// Of the parts of the filter, in the order in which they are used.
  LinesAhead filterPart(Expr number) const {
    const int chunkCount = sourceBlocks / chunkBlocks, lines = chunkBlocks * block * 9, lineFloats = block;
    return {conv.operand(1).name(), groupBlocks, lines, [=, this](Expr plane) {
              Expr of = number / chunkCount * groupBlocks + plane;
              return (of * chunkCount + number % chunkCount) * (lines * lineFloats);
            }};
  }

  /// Zero, and on the way what the results of these blocks of channels and tiles will be stored to and added up with,
  /// and the next part of a filter that comes as it is. With all of them from memory 230 -> 177 us (64 channels, 8x8, 8
  /// images; medians of runs in turns, docs/Performance.md).
  Expr fetchNext() const {
    const int passes = rounded / knobs.tiles, perBlock = block / vectorFloats, points = size * size,
              groupsDown = grid.down() / knobs.rows, chunkCount = sourceBlocks / chunkBlocks;
    Expr pass = t / knobs.tiles, tileGroup = grid.all() == group ? Expr(0) : pass / passes,
         first = kb / groupBlocks * groupBlocks, point = j * size + i;
    FetchTurn turn{point,
                   kb % groupBlocks / knobs.blocks * passes + pass % passes,
                   kb % knobs.blocks * perBlock + ki / vectorFloats,
                   points,
                   groupBlocks / knobs.blocks * passes,
                   knobs.blocks * perBlock};
    Expr fetches = 0.f;
    if (!conv.pointsTile()) {
      const int parts = resultBlocks / groupBlocks * chunkCount;
      fetches = fetchShare({filterPart(min(first / groupBlocks * chunkCount + chunks + 1, parts - 1))}, turn);
    }
    ActivationPart part{tileGroup * knobs.images, first, 0, knobs.images, groupBlocks, height};
    if (groupsDown > 1)
      part = {tileGroup / groupsDown, first, tileGroup % groupsDown * (knobs.rows * form.tile), 1, groupBlocks,
              knobs.rows * form.tile};
    turn.step = chunks * points + point, turn.steps *= chunkCount;
    fetches += fetchShare(tileTensors(part), turn);
    return select(t % knobs.tiles == 0, fetches, 0.f);
  }

  /// U(ki, c, i, j, kb): column i, row j of the points. The data gradient's taps are flipped.
  void defineFilter() {
    auto tap = [&](Expr s, int r) {
      return conv.operand(1)(ki, c % block, forward ? s : 2 - s, forward ? r : 2 - r, c / block, kb);
    };
    filterRows(ki, i, j, c, kb) = mux(j, form.filter({tap(i, 0), tap(i, 1), tap(i, 2)}));
    U(ki, c, i, j, kb) =
        mux(i, form.filter({filterRows(ki, 0, j, c, kb), filterRows(ki, 1, j, c, kb), filterRows(ki, 2, j, c, kb)}));
  }

  Expr anchor(const Coordinates &at) const override {
    const int pixels = form.tile;
    return Y(at.ki, at.x % pixels, at.y % pixels, at.x / pixels + grid.across() * (at.y / pixels + grid.down() * at.n),
             at.kb);
  }

  void splitTileLoops(Func f) override {
    f.split(yo, yoo, yoi, knobs.rows, TailStrategy::RoundUp).split(no, noo, noi, knobs.images, TailStrategy::RoundUp);
    f.split(kbo, kboo, kbm, groupBlocks, TailStrategy::RoundUp);
  }
  std::vector<VarOrRVar> loopOrder() const override { return {xo, yoi, kvo, kbm, noi, yoo, noo, kboo}; }

  void scheduleAnchor(Func master) override {
    for (Func f : {Z, Y})
      f.compute_at(master, xo).store_in(MemoryType::Register).bound_extent(t, 1).bound_extent(kb, 1);
    Z.reorder(ki, y, i).vectorize(ki, vectorFloats).unroll(i).unroll(y);
    Y.bound_extent(x, form.tile)
        .bound_extent(y, form.tile)
        .reorder(ki, x, y)
        .vectorize(ki, vectorFloats)
        .unroll(x)
        .unroll(y);
    scheduleProducts(master);
    if (!conv.pointsTile())
      scheduleFilter(master);
    scheduleSource(master);
  }

  /// A product for each point; the panel of U stays in L1 while the tiles pass.
  void scheduleProducts(Func master) {
    M.compute_at(master, yoo)
        .store_in(kStackScratch)
        .bound_extent(t, rounded)
        .align_storage(t, rounded | 1)
        .bound_extent(kb, groupBlocks);
    Stage sum = M.update();
    sum.split(t, to, ti, knobs.tiles, TailStrategy::RoundUp).split(ki, kv, kii, vectorFloats);
    sum.split(kb, kbp, kbi, knobs.blocks);
    sum.reorder({kii, kv, kbi, ti, to, kbp, i, j, chunks}).vectorize(kii).unroll(kv).unroll(kbi).unroll(ti);
    acc.compute_at(M, to).store_in(MemoryType::Register).vectorize(ki, vectorFloats).unroll(ki).unroll(t).unroll(kb);
    RVar outer("outer"), inner("inner");
    acc.update().split(channel.x, outer, inner, knobs.channels).split(ki, kv, kii, vectorFloats);
    if (registersOf({knobs.tiles, knobs.blocks}, conv.machine).holdsBroadcasts())
      acc.update().reorder({kii, t, kv, kb, inner, outer, channel.y});
    else
      acc.update().reorder({kii, kv, kb, t, inner, outer, channel.y});
    acc.update().vectorize(kii).unroll(kv).unroll(t).unroll(inner).unroll(kb);
    if (conv.pointsTile() && !knobs.chunk)
      fetchDuring(acc, fetchPoints());
    if (grid.all() == group || group == rounded)
      fetchDuring(M, fetchNext());
  }

  void scheduleFilter(Func master) {
    const int channels = chunkBlocks * block;
    if (knobs.chunk) {
      M.update().unroll(j);
      U.compute_at(M, j);
    } else
      U.compute_at(master, kboo);
    U.store_in(kStackScratch)
        .align_storage(c, channels | 1)
        .bound_extent(kb, knobs.blocks)
        .split(ki, kv, kii, vectorFloats);
    U.reorder(kii, i, j, kv, c).vectorize(kii).unroll(i).unroll(j);
    filterRows.compute_at(U, kv)
        .store_in(MemoryType::Register)
        .reorder(ki, j, i)
        .vectorize(ki, vectorFloats)
        .unroll(i)
        .unroll(j);
  }

  void scheduleSource(Func master) {
    // Groups follow each other in the outermost loop if the filter comes at its points.
    const bool byGroups = conv.frugal && conv.pointsTile();
    if (byGroups)
      V.points.compute_at(master, yoo).bound_extent(t, rounded);
    else
      V.points.compute_root();
    if (conv.pointsTile())
      winograd::keepTogether(V);
    winograd::schedule(V, conv.machine, byGroups ? rounded : grid.all() - group + rounded);
  }
};

} // namespace

void buildConvWinograd(ConvKernel &conv, const WinogradKnobs &knobs, std::vector<Func> &outputs) {
  WinogradConv(conv, knobs).build(outputs);
}

} // namespace resin::codegen
