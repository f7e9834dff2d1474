//===- FmaPeak.cpp - What the machine could do at most --------------------===//
//
// Sixteen independent chains of multiply-adds hide the latency of four cycles on
// two units with room to spare. The widest vectors the CPU has are chosen at run
// time, whatever the program was built for.
//
//===----------------------------------------------------------------------===//

#include "runtime/device/cpu/FmaPeak.h"
#include "runtime/device/cpu/CpuFeatures.h"
#include "runtime/device/cpu/ThreadPool.h"

#include <immintrin.h>

#include <chrono>
#include <cstdint>

using namespace resin::runtime;

static constexpr int kChains = 16;

/// `iterations` rounds of 16 multiply-adds on vectors; the sum is stored so that the
/// work is not dropped.
__attribute__((target("avx512f"))) static void chains512(int64_t iterations, float *sink) {
  __m512 sums[kChains];
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
  for (int c = 0; c < kChains; ++c)
    sums[c] = _mm512_set1_ps(static_cast<float>(c));
  for (int64_t i = 0; i < iterations; ++i)
#pragma clang loop unroll(full)
    for (int c = 0; c < kChains; ++c)
      sums[c] = _mm512_fmadd_ps(sums[c], a, b);
  for (int c = 1; c < kChains; ++c)
    sums[0] = _mm512_add_ps(sums[0], sums[c]);
  *sink = _mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma"))) static void chains256(int64_t iterations, float *sink) {
  // Twelve of sixteen registers, two for the factors.
  constexpr int kFit = 12;
  __m256 sums[kFit];
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
  for (int c = 0; c < kFit; ++c)
    sums[c] = _mm256_set1_ps(static_cast<float>(c));
  for (int64_t i = 0; i < iterations; ++i)
#pragma clang loop unroll(full)
    for (int c = 0; c < kFit; ++c)
      sums[c] = _mm256_fmadd_ps(sums[c], a, b);
  for (int c = 1; c < kFit; ++c)
    sums[0] = _mm256_add_ps(sums[0], sums[c]);
  *sink = _mm256_cvtss_f32(sums[0]);
}

static void chains128(int64_t iterations, float *sink) {
  constexpr int kFit = 12;
  __m128 sums[kFit];
  const __m128 a = _mm_set1_ps(0.999f), b = _mm_set1_ps(0.001f);
  for (int c = 0; c < kFit; ++c)
    sums[c] = _mm_set1_ps(static_cast<float>(c));
  for (int64_t i = 0; i < iterations; ++i)
#pragma clang loop unroll(full)
    for (int c = 0; c < kFit; ++c)
      sums[c] = _mm_add_ps(_mm_mul_ps(sums[c], a), b);
  for (int c = 1; c < kFit; ++c)
    sums[0] = _mm_add_ps(sums[0], sums[c]);
  *sink = _mm_cvtss_f32(sums[0]);
}

namespace {
struct Loop {
  void (*run)(int64_t iterations, float *sink);
  double flops; ///< of one iteration
};
} // namespace

static Loop widestLoop() {
  if (hasCpuFeature("avx512f"))
    return {chains512, 2.0 * 16 * kChains};
  if (hasCpuFeature("avx2") && hasCpuFeature("fma"))
    return {chains256, 2.0 * 8 * 12};
  return {chains128, 2.0 * 4 * 12};
}

double resin::runtime::measureFmaPeak(ThreadPool &pool) {
  const Loop loop = widestLoop();
  constexpr int64_t kIterations = 100'000;
  // Several short pieces a worker: who comes late leaves the others' rate as it is.
  const int64_t pieces = 8 * pool.workers();
  std::vector<float> sinks(pieces);
  const auto start = std::chrono::steady_clock::now();
  pool.run(pieces, [&](int64_t piece, int64_t) { loop.run(kIterations / 4, &sinks[piece]); });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return static_cast<double>(pieces) * (kIterations / 4) * loop.flops / seconds / 1e9;
}
