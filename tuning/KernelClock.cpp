//===- KernelClock.cpp - How long a kernel takes, beside a yardstick ------===//

#include "tuning/KernelClock.h"

#include "support/OpFacts.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>

namespace resin::tuning {

double threadSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

double wallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * (values.size() - 1) + 0.5)];
}

namespace {

/// Twelve independent chains of multiply-adds: enough for two units of five cycles.
#define RESIN_FMA_LOOP(lanes)                                                                                          \
  typedef float Vector __attribute__((vector_size(lanes * 4)));                                                        \
  Vector sums[12] = {}, factor, addend;                                                                                \
  for (int i = 0; i < lanes; ++i)                                                                                      \
    factor[i] = 0.999f, addend[i] = 1e-3f;                                                                             \
  asm volatile("" : "+x"(factor), "+x"(addend));                                                                       \
  for (long i = 0; i < turns; ++i)                                                                                     \
    _Pragma("clang loop unroll(full)") for (int j = 0; j < 12; ++j) sums[j] = sums[j] * factor + addend;               \
  float total = 0;                                                                                                     \
  for (const Vector &sum : sums)                                                                                       \
    total += sum[0];                                                                                                   \
  return total;

__attribute__((target("avx512f"), noinline)) float multiplyAdd512(long turns) {
#pragma clang fp contract(fast)
  RESIN_FMA_LOOP(16)
}
__attribute__((target("avx2,fma"), noinline)) float multiplyAdd256(long turns) {
#pragma clang fp contract(fast)
  RESIN_FMA_LOOP(8)
}
__attribute__((noinline)) float multiplyAdd128(long turns) {
#pragma clang fp contract(fast)
  RESIN_FMA_LOOP(4)
}

} // namespace

double multiplyAddRate() {
  const bool wide = __builtin_cpu_supports("avx512f"),
             middle = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const long turns = 200000;
  const double begin = threadSeconds();
  volatile float sink = wide ? multiplyAdd512(turns) : middle ? multiplyAdd256(turns) : multiplyAdd128(turns);
  (void)sink;
  return turns * 12.0 * 2 * (wide ? 16 : middle ? 8 : 4) / (threadSeconds() - begin) * 1e-9;
}

int copiesToTime(const KernelSpec &spec) {
  constexpr int64_t kPredictionBytes = 64 << 20, kTrainingBytes = 8 << 20, kMost = 16;
  auto isStatistic = [](const KernelNode &node) { return factsOf(node.op).role == OpRole::Reduction; };
  auto convolvesOne = [](const KernelNode &node) {
    const OpFacts &facts = factsOf(node.op);
    return facts.isConvolution && facts.product == Product::Output && !node.results[0].shape.empty() &&
           node.results[0].shape[0] == 1;
  };
  const bool predictsOne = std::any_of(spec.nodes.begin(), spec.nodes.end(), convolvesOne) &&
                           std::none_of(spec.nodes.begin(), spec.nodes.end(), isStatistic);
  const int64_t bytes = predictsOne ? kPredictionBytes : kTrainingBytes;
  return static_cast<int>(std::min(kMost, bytes / std::max<int64_t>(1, bytesTouched(spec)) + 1));
}

static size_t bytesOf(const TensorSpec &tensor) { return (storageBytes(tensor) + 63) / 64 * 64 + 5 * 64; }

KernelArena::KernelArena(const KernelSpec &spec) {
  std::vector<const TensorSpec *> tensors;
  for (const auto *list : {&spec.operands, &spec.results})
    for (const TensorSpec &tensor : *list)
      tensors.push_back(&tensor);
  const size_t page = 2 << 20;
  size_t bytes = 0;
  for (const TensorSpec *tensor : tensors)
    bytes += bytesOf(*tensor);
  bytes = (bytes + page - 1) / page * page;
  base = static_cast<char *>(std::aligned_alloc(page, bytes));
  madvise(base, bytes, MADV_HUGEPAGE);
  std::memset(base, 0, bytes);
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  char *at = base;
  for (const TensorSpec *tensor : tensors) {
    places.push_back(at);
    if (tensor->type == ElementType::F32)
      std::generate_n(reinterpret_cast<float *>(at), storageElements(*tensor), [&] { return uniform(random); });
    if (tensor->type == ElementType::F64)
      std::generate_n(reinterpret_cast<double *>(at), storageElements(*tensor), [&] { return uniform(random); });
    at += bytesOf(*tensor);
  }
  if (asksForPiece(spec))
    places.insert(places.begin() + spec.operands.size(), &piece);
}

KernelArena::~KernelArena() { std::free(base); }

} // namespace resin::tuning
