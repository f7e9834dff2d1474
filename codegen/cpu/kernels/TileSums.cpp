//===- TileSums.cpp - Channel sums as exact as their finish ---------------===//

#include "codegen/cpu/kernels/TileSums.h"

#include "codegen/cpu/kernels/Strict.h"

#include <algorithm>

using namespace Halide;

namespace resin::codegen {

TileSums::TileSums(std::vector<Epilogue::Reduction> sums, int operands)
    : reductions(std::move(sums)), operands(operands) {
  for (const Epilogue::Reduction &r : reductions) {
    if (r.rhs != r.lhs) {
      const Part dot{Kind::Dot, r.lhs, r.rhs};
      if (r.rhs < 0 || isShifted(dot))
        need(sumOf(r.lhs));
      if (r.rhs >= 0)
        need(dot);
      continue;
    }
    need({Kind::Mean, r.lhs, -1});
    need({Kind::Rest, r.lhs, -1});
  }
}

bool TileSums::isSquared(int number) const {
  return std::any_of(reductions.begin(), reductions.end(),
                     [&](const Epilogue::Reduction &r) { return r.lhs == number && r.rhs == number; });
}

void TileSums::need(const Part &part) {
  if (std::find(parts.begin(), parts.end(), part) == parts.end())
    parts.push_back(part);
}

Expr TileSums::leave(const Part &part, const Tile &tile) const {
  auto counted = [&](int j, Expr term) { return tile.counts ? select(tile.counts(j), term, 0.f) : term; };
  // LLVM may add in any order, and would put differences together again: (a - y0) + (b - y0) as a + b - 2*y0.
  auto shifted = [&](int number, int j) { return strictDifference(tile.value(number, j), tile.value(number, 0)); };
  // The first pixel's difference is zero.
  auto sum = [&](int from, const std::function<Expr(int)> &term) {
    std::vector<Expr> chains(std::min(tile.pixels - from, tile.chains));
    for (int j = from; j < tile.pixels; ++j) {
      Expr &chain = chains[j % chains.size()];
      chain = chain.defined() ? chain + term(j) : term(j);
    }
    for (size_t j = 1; j < chains.size(); ++j)
      chains[0] = chains[0] + chains[j];
    return chains[0];
  };
  const int second = std::min(1, tile.pixels - 1);
  const auto term = [&](int j) { return counted(j, shifted(part.lhs, j)); };
  Expr perPixel = 1.f / cast<float>(tile.count);
  switch (part.kind) {
  case Kind::Sum:
    return sum(0, [&](int j) { return counted(j, tile.value(part.lhs, j)); });
  case Kind::Dot:
    if (!isShifted(part))
      return sum(0, [&](int j) { return counted(j, tile.value(part.lhs, j) * tile.value(part.rhs, j)); });
    return sum(second, [&](int j) { return counted(j, tile.value(part.lhs, j) * shifted(part.rhs, j)); });
  case Kind::Mean:
    return tile.value(part.lhs, 0) + sum(second, term) * perPixel;
  case Kind::Rest: {
    Expr s = sum(second, term);
    return sum(second, [&](int j) { return term(j) * term(j); }) - s * s * perPixel;
  }
  }
  return {};
}

std::vector<Expr> TileSums::leave(const Tile &tile) const {
  std::vector<Expr> left;
  for (const Part &part : parts)
    left.push_back(leave(part, tile));
  return left;
}

std::vector<Expr> TileSums::add(const std::vector<Expr> &left, Expr count,
                                const std::function<Expr(int)> &first) const {
  auto wide = [&](const Part &part) {
    return cast<double>(left[std::find(parts.begin(), parts.end(), part) - parts.begin()]);
  };
  Expr n = cast<double>(count);
  auto sum = [&](int number) { return isSquared(number) ? n * wide(sumOf(number)) : wide(sumOf(number)); };
  std::vector<Expr> added;
  for (const Epilogue::Reduction &r : reductions) {
    const Part dot{Kind::Dot, r.lhs, r.rhs};
    if (r.rhs < 0)
      added.push_back(sum(r.lhs));
    else if (r.rhs == r.lhs)
      added.push_back(wide({Kind::Rest, r.lhs, -1}) + sum(r.lhs) * wide(sumOf(r.lhs)));
    else if (isShifted(dot))
      added.push_back(wide(dot) + sum(r.lhs) * cast<double>(first(r.rhs)));
    else
      added.push_back(wide(dot));
  }
  return added;
}

void TileSums::placeApart(const std::vector<Func> &results, Func totals, RDom walk, Func tiles, int lanes) {
  const int block = kChannelBlock;
  Func first = results[0];
  Var channelBlock("channel_block"), channel("channel");
  for (Func result : results) {
    const Var c = result.args()[0];
    result.split(c, channelBlock, channel, block).vectorize(channel, lanes);
    if (result.name() != first.name())
      result.compute_with(first, channelBlock);
  }
  const Var c = totals.args()[0], ki = tiles.args()[0];
  totals.compute_at(first, channelBlock).store_in(MemoryType::Register).bound_extent(c, block).vectorize(c, lanes);
  totals.update().reorder(c, walk.x, walk.y, walk.z).vectorize(c, lanes);
  tiles.compute_at(totals, walk.x).store_in(MemoryType::Register).bound(ki, 0, block).vectorize(ki, lanes);
}

} // namespace resin::codegen
