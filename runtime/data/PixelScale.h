//===- PixelScale.h - How bytes become numbers ------------------*- C++ -*-===//

#ifndef RESIN_RUNTIME_DATA_PIXELSCALE_H
#define RESIN_RUNTIME_DATA_PIXELSCALE_H

#include "support/Status.h"

#include <vector>

namespace resin::runtime {

class Source;
class ThreadPool;

/// Numbers from bytes: (pixel / 255 - mean) / deviation, by channel.
struct PixelScale {
  std::vector<double> mean, deviation;
};

/// Mean and deviation of each channel, in exact integer arithmetic until the end: for any number of workers the same.
StatusOr<PixelScale> measure(const Source &source, ThreadPool &pool);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DATA_PIXELSCALE_H
