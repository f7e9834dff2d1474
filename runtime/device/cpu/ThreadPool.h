//===- ThreadPool.h - Workers that compute the pieces of a region -*- C++ -*-===//
//
// The calling thread is worker 0; the others wait for regions. A region is a count
// of pieces. Each worker has a range of them of its own, the same in each region of as
// many pieces, so that what it wrote is still in its cache when it reads it again; who
// is done with his takes from the others'. Fillers, the last pieces of a region, are in
// nobody's range and taken when all ranges are empty. Which worker computes which piece
// is open, and kernels are such that it does not show.
//
// Every worker, the calling thread too, computes on a stack of known size
// (support/KernelStack.h). Where the system gives fewer threads than asked for, the pool
// says so on standard error and has as many workers as there are.
//
// Waiting is a spin for a millisecond, for the next region of a prediction follows
// sooner, and then a sleep in the kernel. A worker without a core of its own sleeps at
// once, so that it takes none from others.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DEVICE_CPU_THREADPOOL_H
#define RESIN_RUNTIME_DEVICE_CPU_THREADPOOL_H

#include "support/KernelStack.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace resin::runtime {

/// CPUs this process may use: those of its affinity mask, fewer under a cgroup's quota.
unsigned usableCpus();

class ThreadPool {
public:
  using Body = void (*)(const void *context, int64_t piece, int64_t worker);

  explicit ThreadPool(unsigned workers);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;

  unsigned workers() const { return static_cast<unsigned>(threads.size()) + 1; }

  /// Runs body(context, 0 .. pieces-1, worker) and returns when all are done. Called
  /// by the thread that made the pool, and not from within a body. The last `fillers` of
  /// the pieces wait until somebody has nothing else to do.
  void run(Body body, const void *context, int64_t pieces, int64_t fillers = 0);

  template <typename Function> void run(int64_t pieces, const Function &function, int64_t fillers = 0) {
    run([](const void *context, int64_t piece,
           int64_t worker) { (*static_cast<const Function *>(context))(piece, worker); },
        &function, pieces, fillers);
  }

  /// For a thread that is no worker and has work of its own beside them: it may run on every CPU that the process has,
  /// and makes way for the workers.
  void stepAside() const;

private:
  struct Range;
  void startThreads(unsigned count);
  bool startThread();
  void work(int64_t worker);
  void computePieces(int64_t worker);
  uint32_t computeRange(Range &range, int64_t worker);
  bool waitForRegion(uint32_t &seen);
  void waitForPieces(int64_t pieces);
  template <typename Condition> bool spinUntil(Condition isReady) const;

  // Written by the main thread before a region opens, read by who took a piece of it.
  std::atomic<Body> body{nullptr};
  std::atomic<const void *> context{nullptr};

  /// A worker's pieces: the end of its range in the high half, the next one in the low:
  /// taking it succeeds only in the region it was looked up in.
  struct alignas(64) Range {
    std::atomic<uint64_t> state{0};
  };
  std::vector<Range> ranges;                     ///< one for each worker, then the fillers'
  alignas(64) std::atomic<uint32_t> finished{0}; ///< pieces done
  std::atomic<uint32_t> mainSleeps{0};
  alignas(64) std::atomic<uint32_t> region{0}; ///< grows by one with each
  std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> leaving{false};
  const std::vector<int> cpus;                      ///< that the process may use
  std::chrono::microseconds spin;                   ///< for which a worker stays awake; 0 without a core of its own
  std::vector<std::unique_ptr<KernelStack>> stacks; ///< of the threads
  std::vector<std::thread> threads;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DEVICE_CPU_THREADPOOL_H
