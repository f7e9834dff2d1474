//===- Synthetic.cpp - Images drawn from a formula ------------------------===//
//
// Coloured shapes on textured ground, so that every program can be tried without
// a download: 20,000 training and 4,000 test images, fewer where they are large. Each
// is a function of its part and index alone. The class is the shape (and, beyond ten
// classes, its hue); place, size, colour and ground are random, and a shape is lighter
// than its ground as often as darker, so that no weighted sum of pixels tells the
// classes apart.
//
//   1. Draw the image's numbers: one Philox stream an image.
//   2. The ground: two colours mixed by a sum of three waves, with noise.
//   3. The shape: a question of its own coordinates (u, v), in which it fills the
//      square from -1 to 1.
//
//===----------------------------------------------------------------------===//

#include "runtime/MemoryPlan.h"
#include "runtime/data/ImageSet.h"
#include "runtime/data/Registry.h"
#include "runtime/device/cpu/ThreadPool.h"
#include "support/Philox.h"

#include <algorithm>
#include <cmath>

using namespace resin;
using namespace resin::runtime;

static constexpr int kShapes = 10;
static constexpr uint64_t kMostBytes = 128 << 20;

/// Whether (u, v) lies in the shape.
static bool covers(int shape, double u, double v) {
  const double a = std::abs(u), b = std::abs(v), square = u * u + v * v;
  if (a > 1 || b > 1)
    return false;
  switch (shape) {
  case 0: // disc
    return square < 1;
  case 1: // ring
    return square < 1 && square > 0.36;
  case 2: // square
    return a < 0.85 && b < 0.85;
  case 3: // frame
    return std::max(a, b) < 0.9 && std::max(a, b) > 0.5;
  case 4: // triangle
    return v > -0.8 && a < (0.9 - v) / 1.8;
  case 5: // upright cross
    return std::min(a, b) < 0.28;
  case 6: // slanted cross
    return std::abs(a - b) < 0.36;
  case 7: // three bars across
    return b < 0.2 || b > 0.65;
  case 8: // three bars upright
    return a < 0.2 || a > 0.65;
  default: // four corners
    return a > 0.35 && b > 0.35;
  }
}

namespace {
/// The numbers of one image, in the order they are asked for.
struct Draws {
  uint64_t stream;
  uint64_t next = 0;
  double unit() { return philox::uniform(0x5e51, stream, next++); }
  double between(double low, double high) { return low + (high - low) * unit(); }
};

struct Picture {
  double x, y, radius; ///< of the shape, in parts of the image's side
  std::vector<double> colour, ground[2];
  double wave[3][3]; ///< frequency in x and y, phase

  Picture(Draws &draws, int64_t channels, int hue, int hues) {
    radius = draws.between(0.22, 0.38);
    x = draws.between(radius, 1 - radius);
    y = draws.between(radius, 1 - radius);
    const bool lighter = draws.unit() < 0.5;
    for (int64_t c = 0; c < channels; ++c) {
      const double middle = draws.between(0.35, 0.65), spread = draws.between(0.02, 0.16);
      ground[0].push_back(middle - spread);
      ground[1].push_back(middle + spread);
      double away = draws.between(0.15, 0.35);
      if (hues > 1) // the class also says which channel stands out most
        away *= hue % channels == c ? 1.3 : 0.3 + 0.5 * (hue / static_cast<double>(hues));
      colour.push_back(std::clamp(middle + (lighter ? away : -away), 0.0, 1.0));
    }
    for (auto &row : wave) {
      row[0] = draws.between(-40, 40);
      row[1] = draws.between(-40, 40);
      row[2] = draws.between(0, 6.283185307179586);
    }
  }
};

/// sin(a x + b y + c) of the three waves for every pixel, from sines and cosines of
/// rows and columns alone.
struct Texture {
  std::vector<double> sines[3], cosines[3]; ///< of a x + c, by column

  Texture(const Picture &picture, int64_t width) {
    for (int w = 0; w < 3; ++w)
      for (int64_t i = 0; i < width; ++i) {
        const double angle = picture.wave[w][0] * (i + 0.5) / width + picture.wave[w][2];
        sines[w].push_back(std::sin(angle));
        cosines[w].push_back(std::cos(angle));
      }
  }
  /// From 0 to 1, for each pixel of the row at `y`.
  void row(const Picture &picture, double y, std::vector<double> &mix) const {
    std::fill(mix.begin(), mix.end(), 0.5);
    for (int w = 0; w < 3; ++w) {
      const double sine = std::sin(picture.wave[w][1] * y) / 6, cosine = std::cos(picture.wave[w][1] * y) / 6;
      for (size_t i = 0; i < mix.size(); ++i)
        mix[i] += sines[w][i] * cosine + cosines[w][i] * sine;
    }
  }
};
} // namespace

/// A byte from a number between 0 and 1, with noise.
static uint8_t toByte(double value, uint32_t noise) {
  value += 0.12 * (noise / 255.0 - 0.5);
  return static_cast<uint8_t>(std::clamp(value, 0.0, 1.0) * 255 + 0.5);
}

static void draw(const Picture &picture, int shape, uint64_t stream, const std::vector<int64_t> &size, uint8_t *out) {
  const int64_t height = size[1], width = size[2];
  const Texture texture(picture, width);
  std::vector<double> mix(width);
  philox::Words noise{};
  for (int64_t j = 0, pixel = 0; j < height; ++j) {
    const double py = (j + 0.5) / height;
    texture.row(picture, py, mix);
    for (int64_t i = 0; i < width; ++i, ++pixel) {
      const double px = (i + 0.5) / width;
      const bool inside = covers(shape, (px - picture.x) / picture.radius, (py - picture.y) / picture.radius);
      // One word a pixel: eight bits for each of four channels.
      if (pixel % 4 == 0)
        noise = philox::block(philox::keyOf(0x901e), stream, pixel / 4);
      for (int64_t c = 0; c < size[0]; ++c) {
        const double low = picture.ground[0][c], high = picture.ground[1][c];
        const double value = inside ? picture.colour[c] : low + mix[i] * (high - low);
        out[(c * height + j) * width + i] = toByte(value, noise[pixel % 4] >> (8 * (c % 4)) & 255);
      }
    }
  }
}

static int64_t countOf(Part part, const DataNeeds &needs, uint64_t imageBytes) {
  int64_t count = part == Part::Train ? 20000 : 4000;
  count = std::min<int64_t>(count, std::max<uint64_t>(256, kMostBytes / imageBytes));
  return needs.limit >= 0 ? std::min(count, needs.limit) : count;
}

static StatusOr<std::unique_ptr<Source>> synthesize(const std::string &, Part part, const DataNeeds &needs,
                                                    ThreadPool &pool) {
  auto made = std::make_unique<ImageSet>();
  ImageSet &set = *made;
  set.shape = needs.image;
  const uint64_t imageBytes = static_cast<uint64_t>(set.imageBytes());
  const int64_t count = countOf(part, needs, imageBytes);
  if (Status status = checkMemory("a set of synthetic images", count * imageBytes, Limits().memoryLeft());
      status.failed())
    return status;
  set.labels.resize(count);
  set.pixels.resize(count * imageBytes);

  const int hues = static_cast<int>((needs.classes + kShapes - 1) / kShapes);
  pool.run(count, [&](int64_t index, int64_t) {
    const uint64_t stream = static_cast<uint64_t>(index) * 2 + (part == Part::Test);
    Draws draws{stream};
    const int label = static_cast<int>(draws.unit() * static_cast<double>(needs.classes));
    set.labels[index] = label;
    draw(Picture(draws, set.shape[0], label / kShapes, hues), label % kShapes, stream, set.shape,
         set.pixels.data() + index * imageBytes);
  });
  return std::unique_ptr<Source>(std::move(made));
}

const SourceKind resin::runtime::kSyntheticImages = {
    .name = "synthetic",
    .title = "drawn by the program",
    .argument = "'synthetic'",
    .classNames = {},
    .recognises = [](const std::string &where) { return where == "synthetic"; },
    .open = synthesize,
};
