//===- Machine.h - The figures behind the compiler's choices ----*- C++ -*-===//
//
// Tiles, chunks, pieces and forms are chosen by figures of a core and its caches. They
// stand here, once. Code is right on every machine that has the target's instructions;
// the figures decide how fast it is, and in which order it rounds.
//
// So they are constants of a target (Targets.h) and not read from the machine at hand: a
// program's bits follow from its source, its target and its tuning records.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_MACHINE_MACHINE_H
#define RESIN_MACHINE_MACHINE_H

#include <cmath>
#include <cstdint>

namespace resin {

/// The defaults are those of the core that choices were measured on, a Zen 3 with AVX2 (32 KiB of L1, 512 KiB of L2).
/// A Xeon with AVX-512 has 48 KiB and 2 MiB; what that would change has not been measured, so its target says the same.
struct Machine {
  // Vectors of the target's instructions.
  int vectorFloats = 8;
  int vectorRegisters = 16;

  // The core as an inner loop meets it (RegisterTile.h): in a cycle, and from an FMA to the next on its result.
  double fmasPerCycle = 2, loadsPerCycle = 2, fmaLatency = 4;
  /// Of the six that it could: what machines at hand do (docs/Performance.md, "Beside a busy hardware thread").
  double instructionsPerCycle = 3.3;

  // Caches of a core.
  int64_t l1Bytes = 32 << 10, l2Bytes = 512 << 10;
  double l2BytesPerCycle = 32;
  /// Of a filter that is likely to stay in the last cache between two predictions: a guess.
  int64_t lastCacheBytes = 1 << 20;

  // A core's rates: multiply-adds at its peak (measured with AVX2), and bytes from memory, half of what two cores have.
  // A core with AVX-512 does 128 thousand million at 5 GB/s. To price a byte by that would change how it computes
  // predictions of one image, so it waits for a measurement of its own.
  double fmasPerSecond = 51e9, memoryBytesPerSecond = 14e9;
  /// Bytes from the last cache in the time of one from memory: a guess.
  double lastCacheSpeedup = 2;

  /// Cores that share work where nobody has measured better, and the most that anything is cut for. Programs run on
  /// any number of threads; what is cut finer costs more barriers.
  int cores = 8, mostCores = 16;

  /// What a byte costs in multiply-adds at the peak: 51 / 14, rounded.
  double fmasPerMemoryByte() const { return std::round(fmasPerSecond / memoryBytesPerSecond); }
  double fmasPerCachedByte() const { return fmasPerMemoryByte() / lastCacheSpeedup; }
};

} // namespace resin

#endif // RESIN_MACHINE_MACHINE_H
