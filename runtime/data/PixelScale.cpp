//===- PixelScale.cpp - How bytes become numbers --------------------------===//

#include "runtime/data/PixelScale.h"
#include "runtime/data/Source.h"
#include "runtime/device/cpu/ThreadPool.h"

#include <algorithm>
#include <cmath>

using namespace resin;
using namespace resin::runtime;

namespace {
struct Sums {
  uint64_t pixels = 0, squares = 0;
};

/// What one worker has seen.
struct Seen {
  std::vector<Sums> channels;
  std::vector<uint8_t> room;
};
} // namespace

static void addPlane(const uint8_t *pixels, int64_t plane, Sums &sums) {
  for (int64_t p = 0; p < plane; ++p) {
    sums.pixels += pixels[p];
    sums.squares += static_cast<uint64_t>(pixels[p]) * pixels[p];
  }
}

StatusOr<PixelScale> resin::runtime::measure(const Source &source, ThreadPool &pool) {
  const std::vector<int64_t> shape = source.fields().front().shape;
  const int64_t channels = shape[0], plane = shape[1] * shape[2];
  std::vector<Seen> seen(pool.workers(), Seen{std::vector<Sums>(static_cast<size_t>(channels)), {}});
  std::vector<Status> failures(static_cast<size_t>(source.size()));
  pool.run(source.size(), [&](int64_t index, int64_t worker) {
    const StatusOr<Sample> sample = source.fill(index, seen[worker].room);
    if (sample.failed()) {
      failures[index] = sample.status();
      return;
    }
    for (int64_t c = 0; c < channels; ++c)
      addPlane(sample->pixels + c * plane, plane, seen[worker].channels[c]);
  });
  for (Status &failure : failures)
    if (failure.failed())
      return failure;

  PixelScale scale;
  const double count = static_cast<double>(std::max<int64_t>(1, source.size() * plane));
  for (int64_t c = 0; c < channels; ++c) {
    Sums all;
    for (const Seen &part : seen) {
      all.pixels += part.channels[c].pixels;
      all.squares += part.channels[c].squares;
    }
    const double mean = static_cast<double>(all.pixels) / count;
    const double variance = std::max(0.0, static_cast<double>(all.squares) / count - mean * mean);
    scale.mean.push_back(mean / 255);
    // A channel of one colour has nothing to divide by.
    scale.deviation.push_back(variance > 0 ? std::sqrt(variance) / 255 : 1);
  }
  return scale;
}
