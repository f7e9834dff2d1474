//===- MachinePeaks.h - What the machine's memory could do at most -*- C++ -*-===//

#ifndef RESIN_RUNTIME_DEVICE_CPU_MACHINEPEAKS_H
#define RESIN_RUNTIME_DEVICE_CPU_MACHINEPEAKS_H

#include <cstdint>

namespace resin::runtime {

class ThreadPool;

/// Rates of one worker while all of them are busy, and what it costs to open a region.
struct MachinePeaks {
  double cacheBytes = 0;         ///< size of one core's L2
  double cacheGigabytes = 0;     ///< GB/s read from L2
  double memoryGigabytes = 0;    ///< GB/s read from beyond the last cache
  double regionMicroseconds = 0; ///< a parallel region that does nothing
};

/// Best of several short runs, about a tenth of a second in all.
MachinePeaks measureMachinePeaks(ThreadPool &pool);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DEVICE_CPU_MACHINEPEAKS_H
