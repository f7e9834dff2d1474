//===- FusionKnobs.h - What fusion may do in more than one way --*- C++ -*-===//
//
// An entry function can be gathered into kernels and cut into pieces in several ways.
// All are right; which is fastest depends on the network and the machine. `resin tune`
// measures it for whole entry functions (docs/Tuning.md), the passes read it from their
// attribute `resnet.fusion`.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_MACHINE_FUSIONKNOBS_H
#define RESIN_MACHINE_FUSIONKNOBS_H

#include "machine/Machine.h"
#include "support/Knobs.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace resin {

struct FusionKnobs {
  /// Data gradients with which mask, join and batch norm's sums ride: 0 none, 1 those that have no form of Winograd's,
  /// 2 all.
  int64_t epilogues = 1;
  /// Whether the backward half computes normalised activations again (1) or reads what the forward half kept (0).
  int64_t rebuild = 1;
  /// KiB of cache that pieces of a batch are cut for: an L2.
  int64_t pieceKib;
  /// Pieces, at most, of what is cut by channels, by rows, or by images in a prediction.
  int64_t mostPieces;

  bool operator==(const FusionKnobs &) const = default;
};

/// What is done where nobody has measured.
FusionKnobs usualFusion(const Machine &machine);

struct FusionKnob {
  std::string_view name; ///< in `resnet.fusion`
  int64_t FusionKnobs::*member;
  std::span<const int64_t> values; ///< ascending
};

/// All of them, in the order of a record.
std::span<const FusionKnob> fusionKnobs();

/// As a tuning record holds them: fusion{epilogues=1, ...}.
Knobs named(const FusionKnobs &knobs);
/// Nothing unless there is one for each knob, by name or in their order, and each is one of its values.
std::optional<FusionKnobs> fusionKnobsFrom(const Knobs &knobs);

/// "epilogues 2, rebuild 1, piece_kib 512, most_pieces 8"
std::string print(const FusionKnobs &knobs);

/// One step from `knobs`: each knob moved to its next smaller and next larger value.
std::vector<FusionKnobs> neighboursOf(const FusionKnobs &knobs);

} // namespace resin

#endif // RESIN_MACHINE_FUSIONKNOBS_H
