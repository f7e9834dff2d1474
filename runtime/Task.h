//===- Task.h - What a network is trained for -------------------*- C++ -*-===//
//
// Which arguments and results of the entry functions are what, as the front end wrote
// it down (docs/Manifest.md): nobody knows their names by heart.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_TASK_H
#define RESIN_RUNTIME_TASK_H

#include <string>

namespace resin::runtime {

/// Of an image, the class. The only task so far, so each list of the manifest has one entry.
struct Task {
  std::string name;   ///< "classification"
  std::string input;  ///< of the kind "image"
  std::string target; ///< of the kind "class": -1 is padding
  std::string output; ///< of the kind "scores"
  std::string loss;
  std::string metric; ///< of the kind "top-k": how many classes are likelier than the target
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_TASK_H
