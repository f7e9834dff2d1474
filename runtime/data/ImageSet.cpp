//===- ImageSet.cpp - Labelled images in memory ---------------------------===//

#include "runtime/data/ImageSet.h"
#include "support/Files.h"

using namespace resin;
using namespace resin::runtime;

void ImageSet::limitTo(int64_t count) {
  if (count < 0 || count >= size())
    return;
  labels.resize(static_cast<size_t>(count));
  pixels.resize(static_cast<size_t>(count * imageBytes()));
}

std::vector<Field> ImageSet::fields() const {
  return {{"image", ElementType::U8, shape}, {"label", ElementType::I32, {}}};
}

Fingerprint ImageSet::fingerprint() const {
  Checksum sum;
  sum.add(std::as_bytes(std::span(labels)));
  sum.add(std::as_bytes(std::span(pixels)));
  return {size(), sum.text()};
}
