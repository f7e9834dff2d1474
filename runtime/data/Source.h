//===- Source.h - What a data set is ----------------------------*- C++ -*-===//
//
// One part of a data set, to train on or to test with: so many samples, each with the
// same fields, such as an image and its class. Samples are asked for by their index,
// by many threads at once; what a sample is does not depend on when it is asked for.
//
// Each kind of data set is a file with its row in the registry (data/Registry.h).
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DATA_SOURCE_H
#define RESIN_RUNTIME_DATA_SOURCE_H

#include "support/ElementType.h"
#include "support/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace resin::runtime {

enum class Part { Train, Test };

/// What a network expects of its data.
struct DataNeeds {
  std::vector<int64_t> image; ///< channels, height, width
  int64_t classes = 0;
  int64_t limit = -1; ///< samples of each part at most; -1: all
};

/// What every sample has under this name.
struct Field {
  std::string name;
  ElementType type;
  std::vector<int64_t> shape;
};

/// An image and its label. The image is bytes, which become numbers when a batch is written, or numbers that are to be
/// taken as they are.
struct Sample {
  const uint8_t *pixels = nullptr; ///< [channel][y][x]
  const float *numbers = nullptr;  ///< or these
  int32_t label = -1;              ///< -1: none
};

/// What tells a set from another.
struct Fingerprint {
  int64_t images = -1; ///< -1: not known
  std::string sum;     ///< over labels and pixels, in order
  bool operator==(const Fingerprint &) const = default;
};

class Source {
public:
  virtual ~Source() = default;

  /// The image, then the label if there is one.
  virtual std::vector<Field> fields() const = 0;
  virtual int64_t size() const = 0;
  virtual Fingerprint fingerprint() const { return {}; }

  /// The sample at `index`, below size(). A source that has no such bytes in memory makes them in `room`, which belongs
  /// to the caller and may hold what an earlier call left.
  virtual StatusOr<Sample> fill(int64_t index, std::vector<uint8_t> &room) const = 0;

  /// Whether a sample has to be read or decoded first: then the loader makes batches ahead of the step.
  virtual bool isSlow() const { return false; }
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DATA_SOURCE_H
