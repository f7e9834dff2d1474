//===- CpuDevice.cpp - The CPU as the device ------------------------------===//

#include "runtime/device/cpu/CpuDevice.h"
#include "runtime/MemoryPlan.h"
#include "runtime/device/cpu/CpuFeatures.h"
#include "runtime/device/cpu/FmaPeak.h"
#include "runtime/device/cpu/MemoryPeaks.h"

#include <x86intrin.h>

using namespace resin;
using namespace resin::runtime;

Status CpuDevice::allocate(const Manifest &manifest) {
  if (Status status = checkCpuFeatures(manifest.target, manifest.features); status.failed())
    return status;
  if (Status status = checkArena(manifest, threads, Limits().memoryLeft()); status.failed())
    return status;
  StatusOr<Arena> memory = Arena::allocate(manifest.arenaBytes + threads * manifest.scratchBytes);
  if (memory.failed())
    return memory.status();
  arena.emplace(std::move(*memory));
  pool.emplace(threads);
  counters.resize(std::max<size_t>(1, static_cast<size_t>(threads) * program.counters));
  walker.emplace(program, ResinCall{arena->data(), counters.data()}, *pool);
  // The pages are taken now, by the workers that will use them, and not on the clock.
  const int64_t pages = static_cast<int64_t>(arena->size() / Arena::kHugePage);
  pool->run(pages, [this](int64_t page, int64_t) {
    *const_cast<volatile char *>(arena->data() + page * Arena::kHugePage) = 0;
  });
  return {};
}

uint64_t CpuDevice::clock() const { return __rdtsc(); }

ResinCounter CpuDevice::counter(size_t kernel) const {
  ResinCounter sum{0, 0};
  for (size_t worker = 0; worker < pool->workers(); ++worker) {
    const ResinCounter &part = counters[worker * program.counters + kernel];
    sum.ticks += part.ticks;
    sum.calls += part.calls;
  }
  return sum;
}

double CpuDevice::measurePeak() { return measureFmaPeak(*pool); }

MachinePeaks CpuDevice::measurePeaks() { return measureMemoryPeaks(*pool); }
