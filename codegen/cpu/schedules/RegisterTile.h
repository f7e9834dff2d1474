//===- RegisterTile.h - A model of the core's inner loop --------*- C++ -*-===//
//
// Every convolution ends in a loop whose body loads `vectors` of one operand, broadcasts
// `broadcasts` values of the other, and multiplies and adds each pair. How fast depends
// on what the core does in a cycle (machine/Machine.h).
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_CPU_SCHEDULES_REGISTERTILE_H
#define RESIN_CODEGEN_CPU_SCHEDULES_REGISTERTILE_H

#include "machine/Machine.h"

#include <algorithm>

namespace resin::codegen {

struct RegisterTile {
  int broadcasts, vectors;

  int accumulators() const { return broadcasts * vectors; }
  /// The operand with fewer registers to a step is held, of the other one at a time.
  bool holdsBroadcasts() const { return broadcasts < vectors; }
  int registers() const { return accumulators() + std::min(broadcasts, vectors) + 1; }
  /// Of one step of the sum, unrolled a few times.
  double cycles(const Machine &core) const {
    const double instructions = accumulators() + vectors + broadcasts + 1;
    return std::max({accumulators() / core.fmasPerCycle, (vectors + broadcasts) / core.loadsPerCycle, core.fmaLatency,
                     instructions / core.instructionsPerCycle});
  }
  /// Share of the FMA peak; 0 if it does not fit in registers.
  double rate(const Machine &core) const {
    return registers() > core.vectorRegisters ? 0 : accumulators() / core.fmasPerCycle / cycles(core);
  }
};

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_SCHEDULES_REGISTERTILE_H
