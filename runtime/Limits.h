//===- Limits.h - What the machine leaves to this process -------*- C++ -*-===//
//
// CPU time and memory that control groups grant, whichever of the groups above the
// process is the strictest, in version 1 and 2; what the machine has left; and the
// process's own limits.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_LIMITS_H
#define RESIN_RUNTIME_LIMITS_H

#include <cstdint>
#include <string>
#include <vector>

namespace resin::runtime {

struct MemoryLeft {
  uint64_t bytes = UINT64_MAX;
  std::string whose; ///< "the machine", "the control group /sys/fs/cgroup/job"
};

class Limits {
public:
  /// Reads /proc and the groups' files below `root`: tests have a folder there.
  explicit Limits(std::string root = "");

  /// CPUs' worth of time; 0 where nothing limits it.
  double cpuQuota() const;
  /// What can be had before the kernel kills somebody, swap included.
  MemoryLeft memoryLeft() const;

private:
  /// Folders of the process's groups, each before the one above it.
  std::vector<std::string> unified;     ///< version 2
  std::vector<std::string> cpu, memory; ///< version 1
  std::string root;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_LIMITS_H
