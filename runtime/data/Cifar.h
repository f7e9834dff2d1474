//===- Cifar.h - CIFAR-10's binary files ------------------------*- C++ -*-===//
//
// `data_batch_<number>.bin` (training) and `test_batch.bin`: records of one byte label and
// 3 x 32 x 32 bytes of pixels, planar. A folder with fewer batch files is a smaller
// set. They are also looked for in a folder `cifar-10-batches-bin` inside, as the
// archive unpacks.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DATA_CIFAR_H
#define RESIN_RUNTIME_DATA_CIFAR_H

#include "runtime/data/ImageSet.h"

namespace resin::runtime {

StatusOr<ImageSet> readCifar(const std::string &folder, Part part, const DataNeeds &needs);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DATA_CIFAR_H
