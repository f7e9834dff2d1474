//===- Walker.cpp - Runs the functions of a compiled program --------------===//

#include "runtime/device/cpu/Walker.h"

#include <algorithm>

#include <x86intrin.h>

using namespace resin::runtime;

/// Eight buffers are a whole number of cache lines; as many again keep those of two workers apart.
static size_t paddedBuffers(size_t buffers) { return (buffers + 7) / 8 * 8 + 8; }

Walker::Walker(const ResinProgram &program, ResinCall call, ThreadPool &pool)
    : program(program), call(call), pool(pool), buffersOfWorker(paddedBuffers(program.buffers)),
      buffers(buffersOfWorker * pool.workers()) {}

void Walker::run(const ResinFunction &function) {
  for (uint32_t i = 0; i < function.regions; ++i) {
    const ResinRegion &region = program.region[function.region + i];
    pool.run(
        region.pieces, [&](int64_t piece, int64_t worker) { compute(region, piece, worker); }, region.fillers);
  }
}

void Walker::compute(const ResinRegion &region, int64_t piece, int64_t worker) {
  const ResinLoop *begin = program.loop + region.loop, *end = begin + region.loops;
  const ResinLoop &loop = std::upper_bound(
      begin, end, piece, [](int64_t wanted, const ResinLoop &other) { return wanted < other.piece; })[-1];
  for (uint32_t i = 0; i < loop.launches; ++i)
    compute(program.launch[loop.launch + i], piece - loop.piece, worker);
}

void Walker::compute(const ResinLaunch &launch, int64_t piece, int64_t worker) {
  ResinBuffer *own = buffers.data() + worker * buffersOfWorker;
  for (uint32_t i = 0; i < launch.operands; ++i) {
    const ResinOperand &operand = program.operand[launch.operand + i];
    own[i].host = call.arena + operand.offset + piece * operand.per_piece + worker * operand.per_worker;
  }
  const uint64_t start = __rdtsc();
  program.kernel[launch.kernel](&call, own, piece, worker);
  if (launch.counter == RESIN_NOT_COUNTED)
    return;
  ResinCounter &counter = call.counters[worker * program.counters + launch.counter];
  counter.ticks += __rdtsc() - start;
  ++counter.calls;
}
