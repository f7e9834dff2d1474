//===- Facts.cpp - What a program says before it starts -------------------===//

#include "runtime/commands/Facts.h"
#include "runtime/MemoryPlan.h"

#include <fstream>
#include <string>

using namespace resin;
using namespace resin::runtime;

int64_t resin::runtime::parameterCount(const Manifest &manifest) {
  int64_t count = 0;
  for (const Variable &variable : manifest.variables)
    if (variable.role == Role::Parameter)
      count += variable.elements();
  return count;
}

void resin::runtime::printFacts(const Manifest &manifest, unsigned threads, std::FILE *out) {
  const MemoryPlan memory = memoryOf(manifest, threads);
  const double mebibyte = 1 << 20;
  std::fprintf(out,
               "model    %s (%s, from %s)\nsize     %lld parameters, %.1f MFLOP an image\n"
               "memory   %.1f MiB: %.1f variables, %.1f transients, %.1f scratch\ntarget   %s, %u thread%s\n",
               manifest.model.c_str(), manifest.hash.c_str(), manifest.source.c_str(),
               static_cast<long long>(parameterCount(manifest)), manifest.flopsPerImage / 1e6,
               static_cast<double>(memory.total) / mebibyte, static_cast<double>(memory.variables) / mebibyte,
               static_cast<double>(memory.transients) / mebibyte, static_cast<double>(memory.scratch) / mebibyte,
               manifest.target.c_str(), threads, threads == 1 ? "" : "s");
}

uint64_t resin::runtime::peakMemory() {
  std::ifstream status("/proc/self/status");
  uint64_t kibibytes = 0;
  for (std::string word; status >> word;)
    if (word == "VmHWM:" && status >> kibibytes)
      break;
  return kibibytes << 10;
}
