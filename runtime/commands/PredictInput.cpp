//===- PredictInput.cpp - Somebody's array as the network's images --------===//
//
//   1. Read the array and see from its shape which dimension is which.
//   2. Put channels before rows.
//   3. See that every number is finite, and that all of them are pixels from black
//      to white.
//   4. Normalise them as the training images were: (pixel / white - mean) /
//      deviation. Bytes come to the very numbers that training and `eval` make of them.
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/PredictInput.h"
#include "support/Npy.h"
#include "support/Shape.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace resin;
using namespace resin::runtime;

//===----------------------------------------------------------------------===//
// 1. and 2. Shapes
//===----------------------------------------------------------------------===//

namespace {
/// What an array of images may look like.
struct Arrangement {
  const char *layout;         ///< as the option names it
  std::vector<int64_t> image; ///< the last dimensions
  bool isBatch;               ///< one dimension more, in front

  bool fits(const std::vector<int64_t> &shape) const {
    return shape.size() == image.size() + isBatch && std::equal(image.rbegin(), image.rend(), shape.rbegin());
  }
};
} // namespace

/// Those that could be meant, the likeliest first.
static std::vector<Arrangement> arrangements(const std::vector<int64_t> &image, const std::string &layout) {
  const int64_t channels = image[0], height = image[1], width = image[2];
  std::vector<Arrangement> all;
  for (bool isBatch : {true, false}) {
    all.push_back({"nchw", image, isBatch});
    all.push_back({"nhwc", {height, width, channels}, isBatch});
    if (channels == 1)
      all.push_back({"nchw", {height, width}, isBatch});
  }
  if (!layout.empty())
    std::erase_if(all, [&](const Arrangement &one) { return layout != one.layout; });
  return all;
}

static StatusOr<Arrangement> arrangementOf(const std::string &path, const std::vector<int64_t> &shape,
                                           const std::vector<int64_t> &image, const std::string &layout) {
  const std::vector<Arrangement> all = arrangements(image, layout);
  const auto found = std::find_if(all.begin(), all.end(), [&](const Arrangement &one) { return one.fits(shape); });
  if (found != all.end())
    return *found;
  const std::string one = printShape(all.front().image);
  return Status::badData(path, ": has the shape ", printShape(shape), "; this network takes [any, ", one.substr(1),
                         " or ", one, layout.empty() ? ", or channels last" : "");
}

/// From [image][y][x][channel].
static std::vector<float> channelsFirst(const std::vector<float> &numbers, int64_t channels, int64_t plane) {
  std::vector<float> result(numbers.size());
  const int64_t size = channels * plane;
  for (int64_t first = 0; first < static_cast<int64_t>(numbers.size()); first += size)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < plane; ++p)
        result[first + c * plane + p] = numbers[first + p * channels + c];
  return result;
}

//===----------------------------------------------------------------------===//
// 3. and 4. Numbers
//===----------------------------------------------------------------------===//

static Status checkFinite(const std::string &path, const std::vector<int64_t> &image,
                          const std::vector<float> &numbers) {
  const auto wrong = std::find_if(numbers.begin(), numbers.end(), [](float number) { return !std::isfinite(number); });
  if (wrong == numbers.end())
    return {};
  const int64_t place = wrong - numbers.begin(), plane = image[1] * image[2], size = image[0] * plane;
  return Status::badData(path, ": image ", place / size, " holds ", printNumber(*wrong), " in channel ",
                         place % size / plane, ", row ", place % plane / image[2], ", column ", place % image[2]);
}

/// Integers are exact; of others a little beyond white is let pass, as enlarging and sharpening leave it.
static Status checkRange(const std::string &path, const std::vector<float> &numbers, bool hasIntegers, double white) {
  if (numbers.empty())
    return {};
  const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
  if (*least >= 0 && *most <= (hasIntegers ? 1 : 1.5) * white)
    return {};
  const std::string found = concat(path, ": its numbers go from ", *least, " to ", *most,
                                   ", and pixels from 0 (black) "
                                   "to ",
                                   white, " (white)");
  if (*least < 0)
    return Status::badData(found, hasIntegers ? "" : "; --raw takes numbers that are normalised already");
  return Status::badData(found, "; --white ", *most <= 255 ? 255 : 65535, " says what white is",
                         hasIntegers ? "" : ", --raw that they are normalised already");
}

static void normalise(std::vector<float> &numbers, int64_t plane, double white, const PixelScale &scale) {
  const size_t channels = scale.mean.size();
  for (size_t i = 0; i < numbers.size(); ++i) {
    const size_t c = i / static_cast<size_t>(plane) % channels;
    numbers[i] = static_cast<float>((numbers[i] / white - scale.mean[c]) / scale.deviation[c]);
  }
}

StatusOr<Images> resin::runtime::readImages(const std::string &path, const std::vector<int64_t> &image,
                                            const InputForm &form, const PixelScale &scale) {
  if (form.white && !(std::isfinite(*form.white) && *form.white > 0))
    return Status::usage("predict: --white: wants a positive number, not ", printNumber(*form.white));
  StatusOr<npy::Array> array = npy::read(path);
  if (array.failed())
    return array.status();
  if (form.raw && array->hasIntegers)
    return Status::badData(path, ": holds integers, and --raw takes numbers that are normalised already");
  const StatusOr<Arrangement> arrangement = arrangementOf(path, array->shape, image, form.layout);
  if (arrangement.failed())
    return arrangement.status();

  Images images;
  images.shape = image;
  images.count = arrangement->isBatch ? array->shape[0] : 1;
  images.numbers = std::move(array->elements);
  const int64_t plane = image[1] * image[2];
  if (arrangement->layout == std::string("nhwc")) {
    if (form.layout.empty())
      std::fprintf(stderr, "note: %s has its channels last, by its shape %s\n", path.c_str(),
                   printShape(array->shape).c_str());
    images.numbers = channelsFirst(images.numbers, image[0], plane);
  }
  if (Status status = checkFinite(path, image, images.numbers); status.failed())
    return status;
  if (form.raw)
    return images;
  const double white = form.white.value_or(array->hasIntegers ? 255 : 1);
  if (Status status = checkRange(path, images.numbers, array->hasIntegers, white); status.failed())
    return status;
  normalise(images.numbers, plane, white, scale);
  return images;
}
