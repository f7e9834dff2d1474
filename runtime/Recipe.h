//===- Recipe.h - How a network is trained ----------------------*- C++ -*-===//
//
// The part of a `train` block that the runtime carries out: how long, in which
// order, at which rate, on which form of the images. It comes with the program
// and can be changed by `--set train.key=value`; support/RecipeSchema.h says to
// what, and which settings are compiled in and cannot.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_RECIPE_H
#define RESIN_RUNTIME_RECIPE_H

#include "support/LearningRate.h"
#include "support/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace resin::runtime {

struct Augmentation {
  enum class Kind { PadCrop, Flip };
  Kind kind;
  int64_t pad = 0;
};

struct Normalize {
  enum class Kind { None, DataSet, Given };
  Kind kind = Kind::DataSet;
  std::vector<double> mean, deviation; ///< one a channel; of pixels / 255
};

struct Recipe {
  std::string data;
  int64_t epochs = 1;
  uint64_t seed = 0;
  std::vector<Augmentation> augment;
  Normalize normalize;
  Schedule schedule;
};

/// Reads the manifest's "recipe", or what `printRecipe` wrote; keys that are absent
/// stay as they are.
Status parseRecipe(const std::string &json, Recipe &recipe);
std::string printRecipe(const Recipe &recipe);

/// Applies one `train.key=value`; messages begin with `shown`, or `--set` and the assignment.
Status setRecipe(Recipe &recipe, const std::string &assignment, const std::string &shown = "");

/// What it takes, a line a setting.
std::string describeSettable();

} // namespace resin::runtime

#endif // RESIN_RUNTIME_RECIPE_H
