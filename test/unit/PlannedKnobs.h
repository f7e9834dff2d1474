//===- PlannedKnobs.h - Knobs in tests --------------------------*- C++ -*-===//

#ifndef RESIN_TEST_UNIT_PLANNEDKNOBS_H
#define RESIN_TEST_UNIT_PLANNEDKNOBS_H

#include "codegen/Backends.h"

#include <initializer_list>

namespace resin {

inline const codegen::Backend &cpu() { return *codegen::findBackend("x86-64-v3"); }

/// What there is to choose of a kernel.
inline std::unique_ptr<codegen::KnobSpace> planOf(const KernelSpec &spec, const TargetInfo &target) {
  return cpu().plan(spec, target);
}

/// Knobs by their numbers, as old records have them: short enough for tables of cases. Those of no template stay
/// without names.
struct NumberedKnobs : Knobs {
  NumberedKnobs() = default;
  NumberedKnobs(std::initializer_list<int> numbers) : NumberedKnobs(std::vector<int>(numbers)) {}
  explicit NumberedKnobs(const std::vector<int> &numbers) : Knobs(namelessKnobs(numbers)) {
    Knobs::operator=(cpu().nameOld(*this).value_or(*this));
  }
  NumberedKnobs(Knobs knobs) : Knobs(std::move(knobs)) {}
};

} // namespace resin

#endif // RESIN_TEST_UNIT_PLANNEDKNOBS_H
