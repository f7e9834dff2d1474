//===- BatchWriter.h - Images into the place the network reads --*- C++ -*-===//
//
// Writes one image of a batch where the network reads it, normalised, in the layout
// and with the halo its kernels ask for.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DATA_BATCHWRITER_H
#define RESIN_RUNTIME_DATA_BATCHWRITER_H

#include "runtime/Manifest.h"
#include "runtime/data/Augment.h"
#include "runtime/data/PixelScale.h"
#include "runtime/data/Source.h"

#include <array>

namespace resin::runtime {

class BatchWriter {
public:
  /// For the image argument `image`: [n, c, h, w].
  BatchWriter(const Tensor &image, const PixelScale &scale);

  /// The image of a sample: its pixels as the view shows them, or its numbers.
  void write(float *batch, int64_t slot, const Sample &sample, const View &view) const;
  /// Pixels of a data set.
  void writePixels(float *batch, int64_t slot, const uint8_t *pixels, const View &view) const;
  /// Numbers, row-major, as they are.
  void writeNumbers(float *batch, int64_t slot, const float *numbers) const;
  void clear(float *batch, int64_t slot) const;

  /// Numbers that an image takes there.
  int64_t imageStorage() const { return place.storage(); }

private:
  void fillRow(float *row, const uint8_t *source, const float *values, const View &view, bool outside) const;

  int64_t channels, height, width, halo;
  bool dense;
  StorageMap place;                          ///< of one image
  std::vector<std::array<float, 256>> value; ///< of a byte, by channel
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DATA_BATCHWRITER_H
