//===- Channels.h - Walks an activation channel by channel ------*- C++ -*-===//

#ifndef RESIN_DIALECTS_RESNET_CHANNELS_H
#define RESIN_DIALECTS_RESNET_CHANNELS_H

#include "dialects/Resnet/Tensor.h"

namespace resin::resnet {

/// Calls `visit(element, channel)` for every element of images [first, last) of an activation: [n, c, h, w], or [n,
/// features].
template <typename Visit> void forEachElement(const Tensor &activation, int64_t first, int64_t last, Visit visit) {
  const int64_t channels = activation.dim(1);
  const int64_t pixels = activation.shape.size() == 4 ? activation.dim(2) * activation.dim(3) : 1;
  int64_t element = first * channels * pixels;
  for (int64_t n = first; n < last; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < pixels; ++p)
        visit(element++, c);
}

template <typename Visit> void forEachElement(const Tensor &activation, Visit visit) {
  forEachElement(activation, 0, activation.dim(0), visit);
}

} // namespace resin::resnet

#endif // RESIN_DIALECTS_RESNET_CHANNELS_H
