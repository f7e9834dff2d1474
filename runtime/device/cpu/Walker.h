//===- Walker.h - Runs the functions of a compiled program ------*- C++ -*-===//
//
// Walks the tables of runtime/Abi.h: region after region, the pieces of each on the
// workers. An operand's address is a sum of three, a launch one call through a
// pointer: some tens of nanoseconds beside kernels that take tens of microseconds.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DEVICE_CPU_WALKER_H
#define RESIN_RUNTIME_DEVICE_CPU_WALKER_H

#include "runtime/Abi.h"
#include "runtime/device/cpu/ThreadPool.h"

#include <vector>

namespace resin::runtime {

class Walker {
public:
  Walker(const ResinProgram &program, ResinCall call, ThreadPool &pool);
  Walker(const Walker &) = delete;

  void run(const ResinFunction &function);

private:
  void compute(const ResinRegion &region, int64_t piece, int64_t worker);
  void compute(const ResinLaunch &launch, int64_t piece, int64_t worker);

  const ResinProgram &program;
  ResinCall call;
  ThreadPool &pool;
  size_t buffersOfWorker;
  std::vector<ResinBuffer> buffers; ///< [worker][operand]; all but `host` stays zero
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DEVICE_CPU_WALKER_H
