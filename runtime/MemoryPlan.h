//===- MemoryPlan.h - Memory that a program will take -----------*- C++ -*-===//
//
// All of it is known before it is touched, so that a step that does not fit is a
// message and not a process that the kernel kills.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_MEMORYPLAN_H
#define RESIN_RUNTIME_MEMORYPLAN_H

#include "runtime/Limits.h"
#include "runtime/Manifest.h"
#include "support/Status.h"

namespace resin::runtime {

struct MemoryPlan {
  /// Bytes. What @prepare hands over counts as transient: @train_step may use its place.
  uint64_t variables = 0, transients = 0, scratch = 0, total = 0;
};

/// Of the arena that `threads` workers need.
MemoryPlan memoryOf(const Manifest &manifest, unsigned threads);

/// Fails if the arena is more than what is left, and says which batch would fit.
Status checkArena(const Manifest &manifest, unsigned threads, const MemoryLeft &left);

/// Fails if `bytes` for `what` are more than what is left.
Status checkMemory(const std::string &what, uint64_t bytes, const MemoryLeft &left);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_MEMORYPLAN_H
