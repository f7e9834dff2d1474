//===- Synthetic.h - Images drawn from a formula ----------------*- C++ -*-===//
//
// Coloured shapes on textured ground, so that every program can be tried without
// a download. The class is the shape (and, beyond ten classes, its hue); place,
// size, colour and ground are random, and a shape is lighter than its ground as
// often as darker, so that no weighted sum of pixels tells the classes apart.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DATA_SYNTHETIC_H
#define RESIN_RUNTIME_DATA_SYNTHETIC_H

#include "runtime/data/ImageSet.h"

namespace resin::runtime {

/// 20,000 training and 4,000 test images, fewer where they are large. Each is a
/// function of its part and index alone.
StatusOr<ImageSet> synthesize(Part part, const DataNeeds &needs, ThreadPool &pool);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DATA_SYNTHETIC_H
