//===- KernelClock.h - How long a kernel takes, beside a yardstick -*- C++ -*-===//
//
// Times are of this thread alone, so that a busy neighbour shows less. The yardstick
// is a loop of multiply-adds in registers: when it slows down, so did the machine.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TUNING_KERNELCLOCK_H
#define RESIN_TUNING_KERNELCLOCK_H

#include "support/KernelSpec.h"

#include <cstddef>
#include <vector>

namespace resin::tuning {

/// CPU time of this thread.
double threadSeconds();

/// Of the clock on the wall.
double wallSeconds();

/// The value that `share` of `values`, of which there is one at least, do not exceed: 0 the least, 0.5 the median.
double quantile(std::vector<double> values, double share);

/// GFLOP/s of one burst of a millisecond or so, in the widest vectors of this CPU.
double multiplyAddRate();

/// How many copies of operands and results a kernel is timed on, in turns, 16 at most. In a training step filters and
/// what results are stored to were touched a step ago, and a piece of its operands may have left a core's cache: as
/// many copies as exceed 8 MiB together, more than L2 holds. A prediction of one image (a forward convolution of one,
/// without statistics) meets each filter once, in memory: as many as exceed 64 MiB.
int copiesToTime(const KernelSpec &spec);

/// Operands and results of a kernel on large pages, each on a line of its own, filled
/// with numbers. A kernel that asks for the number of its piece is told 0.
class KernelArena {
public:
  explicit KernelArena(const KernelSpec &spec);
  ~KernelArena();
  KernelArena(const KernelArena &) = delete;

  const std::vector<void *> &addresses() const { return places; }

private:
  int32_t piece = 0;
  char *base = nullptr;
  std::vector<void *> places;
};

} // namespace resin::tuning

#endif // RESIN_TUNING_KERNELCLOCK_H
