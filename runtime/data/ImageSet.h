//===- ImageSet.h - Labelled images in memory -------------------*- C++ -*-===//
//
// Pixels are bytes, planar, as CIFAR-10's binary files have them; they become
// numbers when a batch is written.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DATA_IMAGESET_H
#define RESIN_RUNTIME_DATA_IMAGESET_H

#include "runtime/data/Source.h"

namespace resin::runtime {

struct ImageSet final : Source {
  std::vector<int64_t> shape;  ///< channels, height, width
  std::vector<uint8_t> pixels; ///< [image][channel][y][x]
  std::vector<int32_t> labels;

  int64_t imageBytes() const { return shape[0] * shape[1] * shape[2]; }
  const uint8_t *image(int64_t index) const { return pixels.data() + index * imageBytes(); }
  /// Forgets all but the first images.
  void limitTo(int64_t count);

  std::vector<Field> fields() const override;
  int64_t size() const override { return static_cast<int64_t>(labels.size()); }
  Fingerprint fingerprint() const override;
  StatusOr<Sample> fill(int64_t index, std::vector<uint8_t> &) const override {
    return Sample{.pixels = image(index), .label = labels[static_cast<size_t>(index)]};
  }
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DATA_IMAGESET_H
