//===- Manifest.h - What a program says about itself ------------*- C++ -*-===//
//
// The JSON that compiled code carries (docs/Manifest.md), read into structs once
// at start. Offsets are held against the arena here, so that nobody else has to.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_MANIFEST_H
#define RESIN_RUNTIME_MANIFEST_H

#include "runtime/Recipe.h"
#include "runtime/Task.h"
#include "support/Status.h"
#include "support/TensorSpec.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace resin::runtime {

/// A tensor's place in the arena.
struct Tensor {
  std::string name;
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape;
  LayoutKind layout = LayoutKind::Dense;
  int64_t halo = 0;
  uint64_t offset = 0, bytes = 0; ///< padding and halo included

  int64_t elements() const;
  /// How it stands there.
  TensorSpec spec() const { return {type, shape, layout, halo}; }
};

enum class Role { Parameter, Statistic, Slot, Prepared };

struct Initializer {
  std::string name;
  double value = 0;
  double fan = 0, fanIn = 0, fanOut = 0;
};

struct Variable : Tensor {
  Role role = Role::Parameter;
  std::string parameter; ///< that a slot is state of
  Initializer init;
};

struct Function {
  std::string name;
  int64_t batch = 0;
  std::vector<Tensor> arguments, results;
  Task task; ///< the program's

  const Tensor *argument(std::string_view name) const;
  const Tensor *result(std::string_view name) const;

  /// What the task says of them; null where the function has no such.
  const Tensor *input() const { return argument(task.input); }
  const Tensor *target() const { return argument(task.target); }
  const Tensor *output() const { return result(task.output); }
  const Tensor *loss() const { return result(task.loss); }
  const Tensor *rank() const { return result(task.metric); }
};

struct Kernel {
  std::string name, function, source, layer;
  std::string form;            ///< of a convolution: "direct", "winograd 4x4", ...; else empty
  double flops = 0, bytes = 0; ///< of one call; a convolution's flops are the plain sum's
  double formFlops = 0;        ///< as its form does them
  int64_t calls = 0;           ///< in one call of `function`
};

struct Manifest {
  std::string model, source, hash;
  std::string build; ///< of hash, target and how kernels are made; empty if the program does not say
  std::string target;
  std::vector<std::string> features;
  int64_t tuned = 0, borrowed = 0, untuned = 0; ///< kernels with knobs, by where those came from
  std::map<std::string, int64_t> templates;     ///< and by the template that makes them
  std::map<std::string, std::string> fusion;    ///< of functions that are fused as records say: how
  uint64_t arenaBytes = 0, scratchBytes = 0;
  int64_t batch = 0, classes = 0;
  std::vector<int64_t> image; ///< channels, height, width
  double flopsPerImage = 0;
  Recipe recipe;
  Task task;
  std::string numerics; ///< "fast" or "strict" (docs/Language.md); empty if the program does not say
  std::vector<Variable> variables;
  std::vector<Function> functions;
  std::vector<Kernel> kernels;
  std::string text; ///< the JSON itself

  const Function *function(std::string_view name) const;
};

StatusOr<Manifest> parseManifest(std::string_view text);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_MANIFEST_H
