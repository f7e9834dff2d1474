//===- Augment.cpp - Which pixels of an image a sample shows --------------===//

#include "runtime/data/Augment.h"
#include "support/Philox.h"

#include <numeric>

using namespace resin;
using namespace resin::runtime;

/// A whole number below `end`, from 32 random bits.
static int64_t below(uint32_t word, int64_t end) {
  return static_cast<int64_t>(word * static_cast<uint64_t>(end) >> 32);
}

View resin::runtime::drawView(const std::vector<Augmentation> &steps, uint64_t seed, int64_t epoch, int64_t sample,
                              int64_t width) {
  View view;
  for (size_t i = 0; i < steps.size(); ++i) {
    // Step i of the recipe has its own stream of epochs.
    const uint64_t stream = philox::hashName("augment") + i + (static_cast<uint64_t>(epoch) << 8);
    const philox::Words words = philox::block(philox::keyOf(seed), stream, static_cast<uint64_t>(sample));
    if (steps[i].kind == Augmentation::Kind::PadCrop) {
      view.down += below(words[0], 2 * steps[i].pad + 1) - steps[i].pad;
      const int64_t right = below(words[1], 2 * steps[i].pad + 1) - steps[i].pad;
      view.right += view.mirrored ? -right : right;
    } else if (words[0] >> 31) {
      // x becomes width - 1 - x, and then what it was before.
      view.right += view.mirrored ? -(width - 1) : width - 1;
      view.mirrored = !view.mirrored;
    }
  }
  return view;
}

std::vector<int64_t> resin::runtime::filesOrder(int64_t samples) {
  std::vector<int64_t> order(static_cast<size_t>(samples));
  std::iota(order.begin(), order.end(), int64_t(0));
  return order;
}

std::vector<int64_t> resin::runtime::shuffled(int64_t samples, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> order = filesOrder(samples);
  const uint64_t stream = philox::hashName("shuffle") + static_cast<uint64_t>(epoch);
  philox::Words words{};
  for (int64_t i = samples - 1, drawn = 0; i > 0; --i, ++drawn) {
    if (drawn % 4 == 0)
      words = philox::block(philox::keyOf(seed), stream, static_cast<uint64_t>(drawn / 4));
    std::swap(order[i], order[below(words[drawn % 4], i + 1)]);
  }
  return order;
}
