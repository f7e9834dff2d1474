//===- MemoryPlan.cpp - Memory that a program will take -------------------===//

#include "runtime/MemoryPlan.h"

#include <algorithm>
#include <cstdio>

using namespace resin;
using namespace resin::runtime;

MemoryPlan resin::runtime::memoryOf(const Manifest &manifest, unsigned threads) {
  MemoryPlan memory;
  for (const Variable &variable : manifest.variables)
    if (variable.role != Role::Prepared)
      memory.variables += variable.bytes;
  memory.transients = manifest.arenaBytes - std::min(manifest.arenaBytes, memory.variables);
  memory.scratch = threads * manifest.scratchBytes;
  memory.total = manifest.arenaBytes + memory.scratch;
  return memory;
}

static std::string mebibytes(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

Status resin::runtime::checkMemory(const std::string &what, uint64_t bytes, const MemoryLeft &left) {
  if (bytes <= left.bytes)
    return {};
  return {ExitCode::NoMemory, concat(what, " would take ", mebibytes(bytes), " of memory, and ", left.whose, " leaves ",
                                     mebibytes(left.bytes))};
}

/// Transients grow with the batch, the rest does not.
static std::string batchThatFits(const Manifest &manifest, const MemoryPlan &plan, uint64_t left) {
  const uint64_t fixed = plan.variables + plan.scratch;
  const double share = left > fixed ? static_cast<double>(left - fixed) / static_cast<double>(plan.transients) : 0;
  const int64_t batch = static_cast<int64_t>(share * static_cast<double>(manifest.batch));
  if (batch < 1)
    return concat("; variables and scratch alone are ", mebibytes(fixed));
  return concat("; a batch of about ", batch, " would fit: rebuild with 'resin build --batch ", batch, "'");
}

Status resin::runtime::checkArena(const Manifest &manifest, unsigned threads, const MemoryLeft &left) {
  const MemoryPlan plan = memoryOf(manifest, threads);
  Status status = checkMemory(concat("this program, at its batch of ", manifest.batch, ","), plan.total, left);
  if (status.ok())
    return status;
  return {status.code(), status.message() + batchThatFits(manifest, plan, left.bytes)};
}
