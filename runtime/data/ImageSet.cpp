//===- ImageSet.cpp - Labelled images in memory ---------------------------===//

#include "runtime/data/ImageSet.h"
#include "runtime/data/Cifar.h"
#include "runtime/data/Synthetic.h"
#include "support/Files.h"

#include <algorithm>
#include <cmath>

using namespace resin;
using namespace resin::runtime;

void ImageSet::limitTo(int64_t count) {
  if (count < 0 || count >= size())
    return;
  labels.resize(static_cast<size_t>(count));
  pixels.resize(static_cast<size_t>(count * imageBytes()));
}

Fingerprint resin::runtime::fingerprint(const ImageSet &set) {
  Checksum sum;
  sum.add(std::as_bytes(std::span(set.labels)));
  sum.add(std::as_bytes(std::span(set.pixels)));
  return {set.size(), sum.text()};
}

StatusOr<ImageSet> resin::runtime::loadImages(const std::string &where, Part part, const DataNeeds &needs,
                                              ThreadPool &pool) {
  if (where == "synthetic")
    return synthesize(part, needs, pool);
  StatusOr<ImageSet> set = readCifar(where, part, needs);
  if (set.ok())
    set->limitTo(needs.limit);
  return set;
}

PixelScale resin::runtime::measure(const ImageSet &set) {
  const int64_t channels = set.shape[0], plane = set.shape[1] * set.shape[2];
  PixelScale scale;
  for (int64_t c = 0; c < channels; ++c) {
    uint64_t sum = 0, squares = 0;
    for (int64_t i = 0; i < set.size(); ++i) {
      const uint8_t *pixels = set.image(i) + c * plane;
      for (int64_t p = 0; p < plane; ++p) {
        sum += pixels[p];
        squares += static_cast<uint64_t>(pixels[p]) * pixels[p];
      }
    }
    const double count = static_cast<double>(std::max<int64_t>(1, set.size() * plane));
    const double mean = static_cast<double>(sum) / count;
    const double variance = std::max(0.0, static_cast<double>(squares) / count - mean * mean);
    scale.mean.push_back(mean / 255);
    // A channel of one colour has nothing to divide by.
    scale.deviation.push_back(variance > 0 ? std::sqrt(variance) / 255 : 1);
  }
  return scale;
}

std::string resin::runtime::className(const std::string &data, int64_t index) {
  static const char *cifar[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                "dog",      "frog",       "horse", "ship", "truck"};
  if (data == "cifar10" && index >= 0 && index < 10)
    return cifar[index];
  return concat("class ", index);
}
