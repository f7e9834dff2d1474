//===- PredictInput.h - Somebody's array as the network's images -*- C++ -*-===//
//
// People have images in many forms: bytes or floats, channels first or last, one
// or many. What can be told from the array is done and, where it was a guess, said;
// what cannot is an error that names the option to say it with.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_COMMANDS_PREDICTINPUT_H
#define RESIN_RUNTIME_COMMANDS_PREDICTINPUT_H

#include "runtime/data/PixelScale.h"
#include "runtime/data/Source.h"
#include "support/Status.h"

#include <optional>
#include <string>
#include <vector>

namespace resin::runtime {

/// What was asked for.
struct InputForm {
  std::string layout;          ///< "nchw", "nhwc", or empty: whichever fits the network
  bool raw = false;            ///< numbers are normalised already
  std::optional<double> white; ///< the number of a white pixel; by default 255 for integers, 1 for others
};

struct Images final : Source {
  std::vector<int64_t> shape; ///< of one
  int64_t count = 0;
  std::vector<float> numbers; ///< [image][channel][y][x], normalised

  std::vector<Field> fields() const override { return {{"image", ElementType::F32, shape}}; }
  int64_t size() const override { return count; }
  StatusOr<Sample> fill(int64_t index, std::vector<uint8_t> &) const override {
    return Sample{.numbers = numbers.data() + index * (shape[0] * shape[1] * shape[2])};
  }
};

/// Reads the images of `path` for a network that takes `image` (channels, height, width) normalised by `scale`; that is
/// not looked at if they are raw.
StatusOr<Images> readImages(const std::string &path, const std::vector<int64_t> &image, const InputForm &form,
                            const PixelScale &scale);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_COMMANDS_PREDICTINPUT_H
