//===- CpuDevice.h - The CPU as the device ----------------------*- C++ -*-===//
//
// Host and device are one: the arena is memory of this process, what is uploaded is
// there already, and the host's workers compute.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DEVICE_CPU_CPUDEVICE_H
#define RESIN_RUNTIME_DEVICE_CPU_CPUDEVICE_H

#include "runtime/device/Device.h"
#include "runtime/device/cpu/Arena.h"
#include "runtime/device/cpu/ThreadPool.h"
#include "runtime/device/cpu/Walker.h"

#include <optional>
#include <vector>

namespace resin::runtime {

class CpuDevice final : public Device {
public:
  CpuDevice(const ResinProgram &program, unsigned threads) : program(program), threads(threads) {}

  Status allocate(const Manifest &manifest) override;
  char *staging(uint64_t offset, uint64_t) override { return arena->data() + offset; }
  void upload(uint64_t, uint64_t) override {}
  const char *download(uint64_t offset, uint64_t) override { return arena->data() + offset; }
  void run(const ResinFunction &entry) override { walker->run(entry); }
  void wait() override {}
  uint64_t clock() const override;
  ResinCounter counter(size_t kernel) const override;
  double measurePeak() override;
  MachinePeaks measurePeaks() override;
  ThreadPool &workers() override { return *pool; }

private:
  const ResinProgram &program;
  const unsigned threads;
  std::optional<Arena> arena;
  std::optional<ThreadPool> pool;
  std::vector<ResinCounter> counters; ///< [worker][kernel]
  std::optional<Walker> walker;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DEVICE_CPU_CPUDEVICE_H
