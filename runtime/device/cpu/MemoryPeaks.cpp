//===- MemoryPeaks.cpp - What the machine's memory could do at most -------===//
//
// Reads only: what a kernel writes costs about as much again, which is why few reach
// these rates.
//
//===----------------------------------------------------------------------===//

#include "runtime/device/cpu/MemoryPeaks.h"

#include "runtime/device/cpu/Arena.h"
#include "runtime/device/cpu/ThreadPool.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include <emmintrin.h>
#include <unistd.h>

using namespace resin::runtime;
using Clock = std::chrono::steady_clock;

/// Touches every cache line of `bytes` bytes, a multiple of 256, and returns a sum of them.
static float readAll(const char *start, size_t bytes) {
  __m128 sums[4] = {};
  for (const char *at = start, *end = start + bytes; at < end; at += 256)
    for (int line = 0; line < 4; ++line)
      for (int part = 0; part < 4; ++part)
        sums[part] = _mm_add_ps(sums[part], _mm_load_ps(reinterpret_cast<const float *>(at + 64 * line + 16 * part)));
  return _mm_cvtss_f32(_mm_add_ps(_mm_add_ps(sums[0], sums[1]), _mm_add_ps(sums[2], sums[3])));
}

/// Seconds of the quickest of `runs` regions with one piece a worker.
template <typename Body> static double quickest(ThreadPool &pool, int runs, const Body &body) {
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < runs; ++run) {
    const Clock::time_point start = Clock::now();
    pool.run(pool.workers(), body);
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

static size_t cacheSize() {
  const long said = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return said > 0 ? static_cast<size_t>(said) : 256 << 10;
}

MachinePeaks resin::runtime::measureMemoryPeaks(ThreadPool &pool) {
  MachinePeaks peaks;
  peaks.cacheBytes = static_cast<double>(cacheSize());
  peaks.regionMicroseconds = 1e6 * quickest(pool, 100, [](int64_t, int64_t) {});

  // Half of L2, which L1 holds little of; and twice what a large last cache holds.
  const size_t near = cacheSize() / 2 / 256 * 256, far = size_t(64) << 20, workers = pool.workers();
  StatusOr<Arena> arena = Arena::allocate(workers * far);
  if (arena.failed())
    return peaks;
  std::vector<float> sinks(workers * 16);
  char *memory = arena->data();
  pool.run(static_cast<int64_t>(workers), [&](int64_t piece, int64_t) {
    for (size_t at = 0; at < far; at += 4096)
      memory[static_cast<size_t>(piece) * far + at] = 1;
  });
  auto rate = [&](size_t bytes, int repeats, int runs) {
    const double seconds = quickest(pool, runs, [&](int64_t piece, int64_t) {
      for (int repeat = 0; repeat < repeats; ++repeat)
        sinks[static_cast<size_t>(piece) * 16] += readAll(memory + static_cast<size_t>(piece) * far, bytes);
    });
    return static_cast<double>(bytes) * repeats / seconds / 1e9;
  };
  peaks.cacheGigabytes = rate(near, 40, 8);
  peaks.memoryGigabytes = rate(far, 1, 4);
  return peaks;
}
