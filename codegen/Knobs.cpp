//===- Knobs.cpp - The numbers that templates leave open ------------------===//
//
// A row for each template: its values, what keeps code and scratch within bounds,
// and what fits in registers. Whether knobs cut the problem into equal parts is the
// template's own word (`ConvKernel::plan`).
//
//===----------------------------------------------------------------------===//

#include "codegen/Knobs.h"

#include "codegen/cpu/schedules/ConvDirect.h"
#include "codegen/cpu/schedules/ConvWeight.h"
#include "codegen/cpu/schedules/ConvWinograd.h"
#include "codegen/cpu/schedules/RegisterTile.h"

#include <algorithm>
#include <array>

namespace resin::codegen {

namespace {

using Values = std::vector<int>;

/// Multiply-adds in an unrolled body: a few times what any good kernel has.
constexpr int64_t kLargestBody = 1024;

struct Template {
  const char *name;
  size_t knobs;
  int tile; ///< of Winograd's method, its first knob; 0: a plain sum
  bool (*build)(ConvKernel &conv, std::vector<Halide::Func> &outputs);
  /// What each knob may be: neighbours in the list are a step of the search apart.
  std::vector<Values> (*values)(const ConvKernel &conv);
  /// Multiply-adds unrolled, registers, and bytes on the stack.
  struct Cost {
    int64_t body, registers, scratch;
  };
  Cost (*cost)(const ConvKernel &conv, const Knobs &knobs);
  /// The best that is known untuned; null: as the template plans.
  Knobs (*untuned)(const ConvKernel &conv) = nullptr;
};

Values divisors(int value, int most = 1 << 30) {
  Values result;
  for (int d = 1; d <= std::min(value, most); ++d)
    if (value % d == 0)
      result.push_back(d);
  return result;
}

Values upTo(int most) {
  Values result;
  for (int i = 1; i <= most; ++i)
    result.push_back(i);
  return result;
}

int64_t product(const Knobs &knobs, std::initializer_list<int> which) {
  int64_t result = 1;
  for (int i : which)
    result *= knobs[i];
  return result;
}

bool isForward(const ConvKernel &conv) { return conv.direction == ConvDirection::Forward; }
int blocksOf(int channels) { return (channels + kChannelBlock - 1) / kChannelBlock; }
int sourceBlocks(const ConvKernel &conv) { return blocksOf(isForward(conv) ? conv.shape.c : conv.shape.k); }
int vectorsPerBlock(const ConvKernel &conv) { return kChannelBlock / conv.machine.vectorFloats; }
Values channelsInStep() { return {1, 2, 4, 8, 16}; }

//===----------------------------------------------------------------------===//
// The templates
//===----------------------------------------------------------------------===//

std::vector<Values> directValues(const ConvKernel &conv) {
  Values chunks = divisors(sourceBlocks(conv));
  chunks.insert(chunks.begin(), 0);
  return {upTo(28), upTo(4), divisors(conv.shape.n, 8), {1, 2, 4, 8}, channelsInStep(), {0, 1}, chunks, {0, 1, 2}};
}

/// A strided data gradient unrolls the classes of its pixels with their taps. Chunks of source channels are summed over
/// all pixels of a panel.
Template::Cost directCost(const ConvKernel &conv, const Knobs &knobs) {
  const ConvShape &s = conv.shape;
  const int classes = isForward(conv) ? 1 : s.strideX * s.strideY;
  const int64_t tile = product(knobs, {0, 1, 2, 3});
  const int64_t copies = classes > 1 ? s.r * s.s : knobs[5] ? s.s : 1;
  const int vectors = knobs[3];
  return {tile * knobs[4] * copies, RegisterTile{int(product(knobs, {0, 1, 2})), vectors}.registers(),
          knobs[6] ? chunkScratchOf(directKnobs(knobs), conv) : 0};
}

std::vector<Values> weightValues(const ConvKernel &conv) {
  const ConvShape &s = conv.shape;
  Values pixels = divisors(s.w, 16);
  for (int d : divisors(s.ow, 16))
    pixels.push_back(d);
  std::sort(pixels.begin(), pixels.end());
  pixels.erase(std::unique(pixels.begin(), pixels.end()), pixels.end());
  return {{1, 2, 4, 8},  channelsInStep(), divisors(s.s), divisors(s.r), divisors(s.oh),
          divisors(s.n), pixels,           {0, 1},        {0, 1}};
}

Template::Cost weightCost(const ConvKernel &, const Knobs &knobs) {
  const int64_t sums = product(knobs, {0, 1, 2, 3});
  return {sums * knobs[6], sums + knobs[0] + 1, 0};
}

template <int tile> Knobs winogradUntuned(const ConvKernel &conv) { return numbersOf(winogradKnobsOf(conv, tile)); }

template <int tile> std::vector<Values> winogradValues(const ConvKernel &conv) {
  Values chunks = divisors(sourceBlocks(conv));
  chunks.push_back(0); // all channels, as the chunk before it
  return {{tile},
          divisors(winograd::gridOf(conv.shape, tile).down()),
          divisors(conv.shape.n),
          upTo(kMostBroadcasts),
          {1, 2, 4},
          channelsInStep(),
          chunks};
}

Template::Cost winogradCost(const ConvKernel &conv, const Knobs &knobs) {
  const RegisterTile tile{knobs[3], vectorsPerBlock(conv) * knobs[4]};
  return {tile.accumulators() * knobs[5], tile.registers(), scratchOf(winogradKnobs(knobs), conv)};
}

template <int tile> Knobs winogradWeightUntuned(const ConvKernel &conv) {
  return numbersOf(winogradWeightKnobsOf(conv, tile));
}

template <int tile> std::vector<Values> winogradWeightValues(const ConvKernel &conv) {
  const winograd::Grid grid = winograd::gridOf(conv.shape, tile);
  return {{tile},  divisors(grid.down() * grid.images), upTo(kChannelBlock), {1, 2, 4},
          upTo(8), divisors(blocksOf(conv.shape.k))};
}

Template::Cost winogradWeightCost(const ConvKernel &conv, const Knobs &knobs) {
  const RegisterTile tile{knobs[2], vectorsPerBlock(conv) * knobs[3]};
  return {tile.accumulators() * knobs[4], tile.registers(), scratchOf(winogradWeightKnobs(knobs), conv)};
}

/// In the order in which `buildConv` asks them.
const std::array<Template, 6> kTemplates = {{
    {"winograd", 7, 4, buildConvWinograd, winogradValues<4>, winogradCost, winogradUntuned<4>},
    {"winograd2", 7, 2, buildConvWinograd, winogradValues<2>, winogradCost, winogradUntuned<2>},
    {"winograd-weight", 6, 4, buildConvWinogradWeight, winogradWeightValues<4>, winogradWeightCost,
     winogradWeightUntuned<4>},
    {"winograd2-weight", 6, 2, buildConvWinogradWeight, winogradWeightValues<2>, winogradWeightCost,
     winogradWeightUntuned<2>},
    {"direct", 8, 0, buildConvDirect, directValues, directCost},
    {"weight", 9, 0, buildConvWeight, weightValues, weightCost},
}};

const Template *findTemplate(const Knobs &knobs) {
  for (const Template &row : kTemplates)
    if (row.knobs == knobs.size() && (!row.tile || row.tile == knobs[0]))
      return &row;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Asking them
//===----------------------------------------------------------------------===//

/// Winograd's tiles whose rounding is allowed: F(2x2) is as accurate as a plain sum, F(4x4) is not.
std::vector<int> tilesFor(Numerics numerics) {
  return numerics == Numerics::Strict ? std::vector<int>{2} : std::vector<int>{4, 2};
}

/// What the template builds `conv` with, of Winograd's method with one of `tiles`; empty if it does not take it.
Knobs planOf(const Template &row, ConvKernel conv, const std::vector<int> &tiles) {
  Knobs plan;
  conv.tiles = tiles;
  std::vector<Halide::Func> nothing;
  conv.plan = &plan;
  return row.build(conv, nothing) ? plan : Knobs();
}

bool areInRange(const std::vector<Values> &values, const Knobs &knobs) {
  for (size_t i = 0; i < knobs.size(); ++i)
    if (std::find(values[i].begin(), values[i].end(), knobs[i]) == values[i].end())
      return false;
  return true;
}

bool accepts(const ConvKernel &conv, const Knobs &knobs) {
  const Template *row = findTemplate(knobs);
  if (!row || !areInRange(row->values(conv), knobs))
    return false;
  const Template::Cost cost = row->cost(conv, knobs);
  if (cost.body > kLargestBody || cost.scratch > kLargestScratch)
    return false;
  ConvKernel tuned = conv;
  tuned.knobs = knobs;
  try {
    return planOf(*row, tuned, {row->tile}) == knobs;
  } catch (const Halide::Error &) {
    return false; // the template's word that they don't fit
  }
}

bool fitsRegisters(const ConvKernel &conv, const Knobs &knobs) {
  return findTemplate(knobs)->cost(conv, knobs).registers <= conv.machine.registers;
}

/// Calls `visit` with the convolution of `spec`; returns `otherwise` if there is none.
template <typename Result, typename Visit>
Result withConv(const KernelSpec &spec, const TargetInfo &target, Result otherwise, Visit visit) {
  const int node = findConvolution(spec);
  if (node < 0)
    return otherwise;
  const Machine machine = machineOf(Halide::Target(target.halide));
  try {
    return visit(describeConv(spec, machine, node, {}));
  } catch (const Halide::Error &) {
    return otherwise; // compiling it will say what is wrong
  }
}

void addUnlessThere(std::vector<Knobs> &list, const Knobs &knobs) {
  if (std::find(list.begin(), list.end(), knobs) == list.end())
    list.push_back(knobs);
}

/// The best tiles by the model of the core, otherwise as `knobs` of the direct template.
std::vector<Knobs> ratedTiles(const ConvKernel &conv, const Knobs &knobs, size_t most) {
  const int width = isForward(conv) ? conv.shape.ow : conv.shape.w,
            height = isForward(conv) ? conv.shape.oh : conv.shape.h;
  auto used = [](int whole, int part) { return double(whole) / ((whole + part - 1) / part * part); };
  std::vector<std::pair<double, Knobs>> rated;
  const std::vector<Values> values = directValues(conv);
  for (int vectors : values[3])
    for (int images : values[2])
      for (int rows : values[1])
        for (int pixels : values[0]) {
          Knobs tile = knobs;
          tile[0] = pixels, tile[1] = rows, tile[2] = images, tile[3] = vectors;
          const double rate = rateTile(directKnobs(tile), conv.machine) * used(width, pixels) * used(height, rows);
          if (rate > 0 && accepts(conv, tile))
            rated.push_back({rate, tile});
        }
  std::sort(rated.rbegin(), rated.rend());
  std::vector<Knobs> best;
  for (size_t i = 0; i < std::min(most, rated.size()); ++i)
    best.push_back(rated[i].second);
  return best;
}

/// Knobs of Winograd's template with the register tile that a model of the core rates best.
Knobs withRatedTile(const ConvKernel &conv, Knobs knobs) {
  const ConvShape &s = conv.shape;
  if (conv.direction == ConvDirection::GradWeight) {
    const WinogradTile tile = bestWinogradTile(conv, blocksOf(s.c) * kChannelBlock, blocksOf(s.k));
    knobs[2] = tile.broadcasts, knobs[3] = tile.blocks;
    if (knobs[5] % tile.blocks)
      knobs[5] *= tile.blocks;
  } else {
    const int group = winograd::gridOf(s, knobs[0]).across() * knobs[1] * knobs[2];
    const WinogradTile tile = bestWinogradTile(conv, group, blocksOf(isForward(conv) ? s.k : s.c));
    knobs[3] = tile.broadcasts, knobs[4] = tile.blocks;
  }
  return knobs;
}

} // namespace

std::string printKnobs(const Knobs &knobs) {
  std::string text;
  for (int knob : knobs)
    text += (text.empty() ? "" : ",") + std::to_string(knob);
  return text;
}

std::string templateOf(const Knobs &knobs) {
  const Template *row = findTemplate(knobs);
  return row ? row->name : "none";
}

const char *nameOf(Numerics numerics) { return numerics == Numerics::Strict ? "strict" : "fast"; }

std::optional<Numerics> numericsNamed(std::string_view word) {
  for (Numerics numerics : {Numerics::Fast, Numerics::Strict})
    if (word == nameOf(numerics))
      return numerics;
  return std::nullopt;
}

std::string convolutionOf(const KernelSpec &spec) {
  const int node = findConvolution(spec);
  return node < 0 ? "" : spec.nodes[node].op;
}

KernelForm describeForm(const KernelSpec &spec, const TargetInfo &target, const Knobs &knobs) {
  KernelForm form{"", floatingPointOperations(spec)};
  const int node = findConvolution(spec);
  if (node < 0)
    return form;
  const Template *row = findTemplate(knobs);
  if (!row || !row->tile)
    return form.name = row ? row->name : "generic", form;
  const std::string tile = std::to_string(row->tile);
  form.name = "winograd " + tile + "x" + tile;
  KernelSpec alone = spec;
  alone.nodes = {spec.nodes[node]};
  const int64_t epilogue = form.operations - floatingPointOperations(alone);
  return withConv(spec, target, form, [&](const ConvKernel &conv) {
    const int64_t pairs = int64_t(conv.shape.c) * conv.shape.k;
    form.operations =
        epilogue + 2 * winograd::pointsOf(row->tile) * winograd::gridOf(conv.shape, row->tile).all() * pairs;
    return form;
  });
}

bool satisfies(const Knobs &knobs, Numerics numerics) {
  const Template *row = findTemplate(knobs);
  return numerics == Numerics::Fast || (row && row->tile != 4);
}

bool acceptsKnobs(const KernelSpec &spec, const TargetInfo &target, const Knobs &knobs) {
  return withConv(spec, target, false, [&](const ConvKernel &conv) { return accepts(conv, knobs); });
}

Knobs defaultKnobs(const KernelSpec &spec, const TargetInfo &target, Numerics numerics) {
  return withConv(spec, target, Knobs(), [&](const ConvKernel &conv) {
    for (const Template &row : kTemplates)
      if (Knobs plan = planOf(row, conv, tilesFor(numerics)); !plan.empty())
        return plan;
    return Knobs();
  });
}

std::vector<Knobs> startingKnobs(const KernelSpec &spec, const TargetInfo &target, Numerics numerics) {
  return withConv(spec, target, std::vector<Knobs>(), [&](const ConvKernel &conv) {
    std::vector<Knobs> result;
    auto addDefault = [&](const Knobs &knobs) {
      if (satisfies(knobs, numerics) && accepts(conv, knobs))
        addUnlessThere(result, knobs);
    };
    addDefault(defaultKnobs(spec, target, numerics));
    for (const Template &row : kTemplates)
      addDefault(row.untuned ? row.untuned(conv) : planOf(row, conv, {}));
    for (size_t i = 0, end = result.size(); i < end; ++i) {
      if (findTemplate(result[i])->tile)
        addDefault(withRatedTile(conv, result[i]));
      if (templateOf(result[i]) == "direct")
        for (const Knobs &tile : ratedTiles(conv, Knobs(result[i]), 3))
          addUnlessThere(result, tile);
    }
    return result;
  });
}

std::vector<Knobs> neighbouringKnobs(const KernelSpec &spec, const TargetInfo &target, const Knobs &knobs) {
  return withConv(spec, target, std::vector<Knobs>(), [&](const ConvKernel &conv) {
    std::vector<Knobs> result;
    if (!accepts(conv, knobs))
      return result;
    const std::vector<Values> values = findTemplate(knobs)->values(conv);
    for (size_t i = 0; i < knobs.size(); ++i) {
      auto tryWith = [&](int value) {
        Knobs moved = knobs;
        moved[i] = value;
        if (!accepts(conv, moved) || !fitsRegisters(conv, moved))
          return false;
        result.push_back(moved);
        return true;
      };
      // The nearest on either side that is accepted.
      auto here = std::find(values[i].begin(), values[i].end(), knobs[i]);
      for (auto up = here + 1; up != values[i].end() && !tryWith(*up); ++up)
        ;
      for (auto down = here; down != values[i].begin() && !tryWith(*(down - 1)); --down)
        ;
    }
    return result;
  });
}

} // namespace resin::codegen
