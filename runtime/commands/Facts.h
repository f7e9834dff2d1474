//===- Facts.h - What a program says before it starts -----------*- C++ -*-===//

#ifndef RESIN_RUNTIME_COMMANDS_FACTS_H
#define RESIN_RUNTIME_COMMANDS_FACTS_H

#include "runtime/Manifest.h"

#include <cstdio>

namespace resin::runtime {

struct Memory {
  /// Bytes. What @prepare hands over counts as transient: @train_step may use its place.
  uint64_t variables = 0, transients = 0, scratch = 0, total = 0;
};

int64_t parameterCount(const Manifest &manifest);
/// Of the arena that `threads` workers need.
Memory memoryOf(const Manifest &manifest, unsigned threads);
/// Model, hash, parameters, FLOPs, memory, target and threads, a line each.
void printFacts(const Manifest &manifest, unsigned threads, std::FILE *out);
/// The most memory this process has had so far, in bytes (VmHWM).
uint64_t peakMemory();

} // namespace resin::runtime

#endif // RESIN_RUNTIME_COMMANDS_FACTS_H
