//===- FusionKnobs.cpp - What fusion may do in more than one way ----------===//

#include "machine/FusionKnobs.h"

#include <algorithm>
#include <array>

namespace resin {

static constexpr std::array<int64_t, 3> kEpilogues = {0, 1, 2};
static constexpr std::array<int64_t, 2> kRebuild = {0, 1};
static constexpr std::array<int64_t, 5> kPieceKib = {128, 256, 512, 1024, 2048};
static constexpr std::array<int64_t, 4> kMostPieces = {2, 4, 8, 16};

static constexpr std::array<FusionKnob, 4> kKnobs = {{{"epilogues", &FusionKnobs::epilogues, kEpilogues},
                                                      {"rebuild", &FusionKnobs::rebuild, kRebuild},
                                                      {"piece_kib", &FusionKnobs::pieceKib, kPieceKib},
                                                      {"most_pieces", &FusionKnobs::mostPieces, kMostPieces}}};

std::span<const FusionKnob> fusionKnobs() { return kKnobs; }

FusionKnobs usualFusion(const Machine &machine) {
  return {.pieceKib = machine.l2Bytes >> 10, .mostPieces = machine.cores};
}

static std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const FusionKnob &knob : kKnobs)
    result.emplace_back(knob.name);
  return result;
}

Knobs named(const FusionKnobs &knobs) {
  std::vector<int> numbers;
  for (const FusionKnob &knob : kKnobs)
    numbers.push_back(static_cast<int>(knobs.*knob.member));
  return nameKnobs("fusion", names(), numbers);
}

std::optional<FusionKnobs> fusionKnobsFrom(const Knobs &chosen) {
  FusionKnobs knobs{};
  const std::vector<int> numbers = chosen.numbers();
  if (numbers.size() != kKnobs.size() || !(chosen.areNameless() || areNamed(chosen, "fusion", names())))
    return std::nullopt;
  for (size_t i = 0; i < kKnobs.size(); ++i) {
    if (std::ranges::find(kKnobs[i].values, numbers[i]) == kKnobs[i].values.end())
      return std::nullopt;
    knobs.*kKnobs[i].member = numbers[i];
  }
  return knobs;
}

std::string print(const FusionKnobs &knobs) {
  std::string text;
  for (const FusionKnob &knob : kKnobs)
    text += (text.empty() ? "" : ", ") + std::string(knob.name) + " " + std::to_string(knobs.*knob.member);
  return text;
}

std::vector<FusionKnobs> neighboursOf(const FusionKnobs &knobs) {
  std::vector<FusionKnobs> neighbours;
  for (const FusionKnob &knob : kKnobs) {
    const auto at = std::ranges::find(knob.values, knobs.*knob.member) - knob.values.begin();
    for (const auto next : {at - 1, at + 1}) {
      if (next < 0 || next >= static_cast<std::ptrdiff_t>(knob.values.size()))
        continue;
      neighbours.push_back(knobs);
      neighbours.back().*knob.member = knob.values[next];
    }
  }
  return neighbours;
}

} // namespace resin
