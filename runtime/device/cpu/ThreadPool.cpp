//===- ThreadPool.cpp - Workers that compute the pieces of a region -------===//

#include "runtime/device/cpu/ThreadPool.h"
#include "runtime/Limits.h"

#include <algorithm>
#include <cassert>
#include <climits>
#include <cmath>
#include <cstdio>
#include <new>
#include <system_error>

#include <linux/futex.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xmmintrin.h>

using namespace resin::runtime;

//===----------------------------------------------------------------------===//
// The machine
//===----------------------------------------------------------------------===//

static std::vector<int> allowedCpus() {
  cpu_set_t mask;
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0)
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &mask))
        cpus.push_back(cpu);
  return cpus;
}

unsigned resin::runtime::usableCpus() {
  unsigned count = std::max<unsigned>(1, static_cast<unsigned>(allowedCpus().size()));
  // A worker more than the quota pays for would be stopped for the rest of each period, and all others would wait for
  // it.
  if (double quota = Limits().cpuQuota(); quota > 0)
    count = std::min(count, std::max(1u, static_cast<unsigned>(std::floor(quota))));
  return count;
}

/// Whether all workers can run all the time: else what one of them spins away is taken from those that compute.
static bool haveOwnCores(unsigned workers, size_t cpus) {
  const double quota = Limits().cpuQuota();
  return workers <= cpus && (quota == 0 || workers <= quota);
}

static void pinTo(pthread_t thread, const std::vector<int> &cpus) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (int cpu : cpus)
    CPU_SET(cpu, &mask);
  pthread_setaffinity_np(thread, sizeof(mask), &mask); // where that is not allowed, the scheduler chooses
}

static void sleepWhile(std::atomic<uint32_t> &word, uint32_t value) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

static void wakeAll(std::atomic<uint32_t> &word) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

//===----------------------------------------------------------------------===//
// The pool
//===----------------------------------------------------------------------===//

// How long a worker stays awake without work: longer than a piece takes when a network
// predicts one image, for which the others may have to wait.
// With 30 microseconds ResNet-18's prediction of one image was a fifth slower.
static constexpr std::chrono::microseconds kSpin{1000};

/// Numbers too small for a normal float count as zero: momentum of a weight that gets no
/// gradient decays into them, and arithmetic on them takes a hundred cycles.
static void flushSubnormals() {
  constexpr unsigned kFlushToZero = 0x8000, kInputsAreZero = 0x0040;
  _mm_setcsr(_mm_getcsr() | kFlushToZero | kInputsAreZero);
}

ThreadPool::ThreadPool(unsigned workers) : ranges(std::max(1u, workers) + 1), cpus(allowedCpus()) {
  flushSubnormals();
  const bool ownCore = haveOwnCores(workers, cpus.size());
  spin = ownCore ? kSpin : std::chrono::microseconds(0);
  startThreads(std::max(1u, workers) - 1);
  // Only where every CPU has its worker: with fewer, pins could meet on two threads of
  // one core, or with those of another program of ours.
  if (!ownCore || this->workers() < 2 || this->workers() < cpus.size())
    return;
  pinTo(pthread_self(), {cpus[0]});
  for (unsigned worker = 1; worker < workers; ++worker)
    pinTo(threads[worker - 1].native_handle(), {cpus[worker]});
}

void ThreadPool::stepAside() const {
  constexpr int kNice = 10;
  pinTo(pthread_self(), cpus);
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice); // of this thread alone
}

void ThreadPool::startThreads(unsigned count) {
  while (threads.size() < count)
    if (!startThread()) {
      std::fprintf(stderr, "warning: the system gives %u of %u threads: going on with those\n", this->workers(),
                   count + 1);
      return;
    }
}

/// False if there is no thread, or no memory for its stack.
bool ThreadPool::startThread() {
  const int64_t worker = static_cast<int64_t>(threads.size()) + 1;
  try {
    KernelStack *stack = stacks.emplace_back(std::make_unique<KernelStack>()).get();
    threads.emplace_back([this, worker, stack] { stack->run([this, worker] { work(worker); }); });
    return true;
  } catch (const std::system_error &) {
  } catch (const std::bad_alloc &) {
  }
  return false;
}

ThreadPool::~ThreadPool() {
  leaving = true;
  region.fetch_add(1);
  wakeAll(region);
  for (std::thread &thread : threads)
    thread.join();
}

void ThreadPool::run(Body newBody, const void *newContext, int64_t pieces, int64_t fillers) {
  assert(pieces >= 0 && pieces <= INT32_MAX && "a region's pieces are counted in 32 bits");
  assert(fillers >= 0 && fillers <= pieces && "fillers are some of the pieces");
  if (!isOnKernelStack())
    return onKernelStack([&] { run(newBody, newContext, pieces, fillers); });
  if (threads.empty() || pieces <= 1) {
    for (int64_t piece = 0; piece < pieces; ++piece)
      newBody(newContext, piece, 0);
    return;
  }
  body.store(newBody, std::memory_order_relaxed);
  context.store(newContext, std::memory_order_relaxed);
  finished.store(0, std::memory_order_relaxed);
  const int64_t owners = workers(), owned = pieces - fillers;
  auto open = [](Range &range, uint64_t begin, uint64_t end) {
    range.state.store(end << 32 | begin, std::memory_order_release);
  };
  for (int64_t worker = 0; worker < owners; ++worker)
    open(ranges[worker], owned * worker / owners, owned * (worker + 1) / owners);
  open(ranges.back(), owned, pieces);
  region.fetch_add(1);
  if (sleepers.load() > 0)
    wakeAll(region);
  computePieces(0);
  waitForPieces(pieces);
}

/// Takes pieces of the range until none is left; how many.
uint32_t ThreadPool::computeRange(Range &range, int64_t worker) {
  uint32_t computed = 0;
  uint64_t state = range.state.load(std::memory_order_acquire);
  while (true) {
    const uint32_t end = static_cast<uint32_t>(state >> 32), next = static_cast<uint32_t>(state);
    if (next >= end)
      return computed;
    if (!range.state.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel, std::memory_order_acquire))
      continue;
    // The region cannot end before this piece is counted, so these are its own.
    body.load(std::memory_order_relaxed)(context.load(std::memory_order_relaxed), next, worker);
    ++computed;
    state = range.state.load(std::memory_order_acquire);
  }
}

/// Takes pieces until none is left, its own first, fillers last, then says how many it computed.
void ThreadPool::computePieces(int64_t worker) {
  uint32_t computed = 0;
  const size_t owners = workers();
  for (size_t i = 0; i < owners; ++i)
    computed += computeRange(ranges[(worker + i) % owners], worker);
  computed += computeRange(ranges.back(), worker);
  if (computed == 0)
    return;
  finished.fetch_add(computed);
  if (worker != 0 && mainSleeps.load())
    wakeAll(finished);
}

/// Whether `isReady` became true within the time for which a worker stays awake.
template <typename Condition> bool ThreadPool::spinUntil(Condition isReady) const {
  constexpr int kPauses = 32; // one or two microseconds
  if (spin.count() == 0)
    return isReady();
  const auto end = std::chrono::steady_clock::now() + spin;
  do
    for (int i = 0; i < kPauses; ++i) {
      if (isReady())
        return true;
      __builtin_ia32_pause();
    }
  while (std::chrono::steady_clock::now() < end);
  return false;
}

void ThreadPool::waitForPieces(int64_t pieces) {
  const uint32_t all = static_cast<uint32_t>(pieces);
  if (spinUntil([&] { return finished.load(std::memory_order_acquire) == all; }))
    return;
  mainSleeps.store(1);
  for (uint32_t done = finished.load(); done != all; done = finished.load())
    sleepWhile(finished, done);
  mainSleeps.store(0);
}

/// False when the pool is being taken down.
bool ThreadPool::waitForRegion(uint32_t &seen) {
  if (!spinUntil([&] { return region.load(std::memory_order_acquire) != seen; })) {
    sleepers.fetch_add(1);
    while (region.load() == seen)
      sleepWhile(region, seen);
    sleepers.fetch_sub(1);
  }
  seen = region.load();
  return !leaving.load();
}

void ThreadPool::work(int64_t worker) {
  flushSubnormals();
  uint32_t seen = 0;
  while (waitForRegion(seen))
    computePieces(worker);
}
