//===- RegisterTile.h - A model of the core's inner loop --------*- C++ -*-===//
//
// Every convolution ends in a loop whose body loads `vectors` of one operand, broadcasts
// `broadcasts` values of the other, and multiplies and adds each pair. The core is taken
// to do two FMAs and two loads a cycle, with four cycles from an FMA to the next on the
// same accumulator, and 3.3 instructions a cycle: what machines at hand do of the six
// that they could (docs/Performance.md, "Beside a busy hardware thread").
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_SCHEDULES_REGISTERTILE_H
#define RESIN_CODEGEN_SCHEDULES_REGISTERTILE_H

#include <algorithm>

namespace resin::codegen {

struct RegisterTile {
  int broadcasts, vectors;

  int accumulators() const { return broadcasts * vectors; }
  /// The operand with fewer registers to a step is held, of the other one at a time.
  bool holdsBroadcasts() const { return broadcasts < vectors; }
  int registers() const { return accumulators() + std::min(broadcasts, vectors) + 1; }
  /// Of one step of the sum, unrolled a few times.
  double cycles() const {
    const double instructions = accumulators() + vectors + broadcasts + 1;
    return std::max({accumulators() / 2.0, (vectors + broadcasts) / 2.0, 4.0, instructions / 3.3});
  }
  /// Share of the FMA peak; 0 if it does not fit `available` registers.
  double rate(int available) const { return registers() > available ? 0 : accumulators() / 2.0 / cycles(); }
};

} // namespace resin::codegen

#endif // RESIN_CODEGEN_SCHEDULES_REGISTERTILE_H
