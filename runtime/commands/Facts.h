//===- Facts.h - What a program says before it starts -----------*- C++ -*-===//

#ifndef RESIN_RUNTIME_COMMANDS_FACTS_H
#define RESIN_RUNTIME_COMMANDS_FACTS_H

#include "runtime/Manifest.h"

#include <cstdio>

namespace resin::runtime {

int64_t parameterCount(const Manifest &manifest);
/// Model, hash, parameters, FLOPs, memory, target and threads, a line each.
void printFacts(const Manifest &manifest, unsigned threads, std::FILE *out);
/// The most memory this process has had so far, in bytes (VmHWM).
uint64_t peakMemory();

} // namespace resin::runtime

#endif // RESIN_RUNTIME_COMMANDS_FACTS_H
