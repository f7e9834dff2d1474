//===- Device.h - What a compiled network lives and runs on -----*- C++ -*-===//
//
// A device has memory of its own, the arena, and runs the program's entry functions
// on it. The host knows places in the arena by their offsets. It writes what the
// device is to have into `staging` and then says `upload`; what the device has made
// stands where `download` says. Where both share their memory these are the place
// itself, and moving costs nothing.
//
// Another kind of device is a class that implements this, and its line in
// `openDevice`.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DEVICE_DEVICE_H
#define RESIN_RUNTIME_DEVICE_DEVICE_H

#include "runtime/Abi.h"
#include "runtime/Manifest.h"
#include "support/Status.h"

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

class Device {
public:
  virtual ~Device() = default;

  /// Takes the arena of the program and zeroes it: first of all, and once. Fails if the program was built for what this
  /// device lacks, or needs more memory than there is.
  virtual Status allocate(const Manifest &manifest) = 0;

  /// Where the host writes the bytes from `offset` on. Nothing is there to be read.
  virtual char *staging(uint64_t offset, uint64_t bytes) = 0;
  /// Brings what was written there to the device, before the next entry function runs.
  virtual void upload(uint64_t offset, uint64_t bytes) = 0;
  /// What the device has from `offset` on, until something is uploaded or run.
  virtual const char *download(uint64_t offset, uint64_t bytes) = 0;

  /// Starts an entry function of the program; another may be started before it is done.
  virtual void run(const ResinFunction &entry) = 0;
  /// Returns when all that was started is done.
  virtual void wait() = 0;

  /// What counters count in: ticks that go by at an even rate.
  virtual uint64_t clock() const = 0;
  /// Counters of one kernel, summed over the workers.
  virtual ResinCounter counter(size_t kernel) const = 0;

  /// GFLOP/s of multiply-adds in registers, all workers together, in a run of some milliseconds.
  virtual double measurePeak() = 0;
  /// Best of several short runs, about a tenth of a second in all.
  virtual MachinePeaks measurePeaks() = 0;

  /// The host's workers: they write batches, whatever the device. From `allocate` on.
  virtual ThreadPool &workers() = 0;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DEVICE_DEVICE_H
