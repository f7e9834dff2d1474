//===- ImageSet.h - Labelled images in memory -------------------*- C++ -*-===//
//
// Pixels are bytes, planar, as CIFAR-10's binary files have them; they become
// numbers when a batch is written. A data set is a training and a test part.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DATA_IMAGESET_H
#define RESIN_RUNTIME_DATA_IMAGESET_H

#include "runtime/Recipe.h"
#include "support/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace resin::runtime {

class ThreadPool;

struct ImageSet {
  std::vector<int64_t> shape;  ///< channels, height, width
  std::vector<uint8_t> pixels; ///< [image][channel][y][x]
  std::vector<int32_t> labels;

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  int64_t imageBytes() const { return shape[0] * shape[1] * shape[2]; }
  const uint8_t *image(int64_t index) const { return pixels.data() + index * imageBytes(); }
  /// Forgets all but the first images.
  void limitTo(int64_t count);
};

/// What a network expects of its data.
struct DataNeeds {
  std::vector<int64_t> image;
  int64_t classes = 0;
  int64_t limit = -1; ///< images of each part at most; -1: all
};

/// Numbers from bytes: (pixel / 255 - mean) / deviation, by channel.
struct PixelScale {
  std::vector<double> mean, deviation;
};

enum class Part { Train, Test };

/// What tells a set from another.
struct Fingerprint {
  int64_t images = -1; ///< -1: not known
  std::string sum;     ///< over labels and pixels, in order
  bool operator==(const Fingerprint &) const = default;
};
Fingerprint fingerprint(const ImageSet &set);

/// Reads one part of `where`: a folder, or "synthetic".
StatusOr<ImageSet> loadImages(const std::string &where, Part part, const DataNeeds &needs, ThreadPool &pool);

/// Mean and deviation of each channel, in exact integer arithmetic until the end.
PixelScale measure(const ImageSet &set);

/// Prefixed by nothing; for messages: "airplane" of CIFAR-10's classes, else "class 3".
std::string className(const std::string &data, int64_t index);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DATA_IMAGESET_H
