//===- Augment.h - Which pixels of an image a sample shows ------*- C++ -*-===//
//
// Crops and flips only move pixels, so what they do to an image is four numbers,
// drawn as a function of (seed, epoch, sample) and carried out while the batch is
// written.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DATA_AUGMENT_H
#define RESIN_RUNTIME_DATA_AUGMENT_H

#include "runtime/Recipe.h"

#include <cstdint>
#include <vector>

namespace resin::runtime {

/// The pixel at (y, x) is the image's at (y + down, mirrored ? right - x : right + x);
/// outside the image it is black.
struct View {
  int64_t down = 0, right = 0;
  bool mirrored = false;
};

View drawView(const std::vector<Augmentation> &steps, uint64_t seed, int64_t epoch, int64_t sample, int64_t width);

/// 0, 1, .. samples - 1.
std::vector<int64_t> filesOrder(int64_t samples);

/// The training set's order in one epoch, by Fisher and Yates.
std::vector<int64_t> shuffled(int64_t samples, uint64_t seed, int64_t epoch);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DATA_AUGMENT_H
