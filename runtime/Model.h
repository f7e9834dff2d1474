//===- Model.h - The compiled network in memory -----------------*- C++ -*-===//
//
// Holds the arena in which the network lives, the workers that compute it and the
// counters of its kernels, and calls its entry points. Everybody else speaks to
// compiled code through here.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_MODEL_H
#define RESIN_RUNTIME_MODEL_H

#include "runtime/Abi.h"
#include "runtime/Layout.h"
#include "runtime/Manifest.h"
#include "runtime/device/cpu/ThreadPool.h"
#include "runtime/device/cpu/Walker.h"
#include "support/Status.h"

#include <memory>
#include <span>

namespace resin::runtime {

/// Zeroed memory at a multiple of 2 MiB, in huge pages where the system has them.
class Arena {
public:
  static StatusOr<Arena> allocate(uint64_t bytes);
  Arena(Arena &&other) noexcept : start(std::exchange(other.start, nullptr)), bytes(other.bytes) {}
  ~Arena();

  char *data() const { return start; }
  uint64_t size() const { return bytes; }

private:
  Arena(char *start, uint64_t bytes) : start(start), bytes(bytes) {}
  char *start;
  uint64_t bytes;
};

class Model {
public:
  /// Checks version, manifest and CPU before anything compiled is touched.
  static StatusOr<std::unique_ptr<Model>> load(const ResinProgram &program, unsigned threads);

  const Manifest &manifest() const { return facts; }
  ThreadPool &pool() { return workers; }
  uint64_t memoryBytes() const { return arena.size(); }

  /// Where a tensor stands.
  template <typename T> T *at(const Tensor &tensor) { return reinterpret_cast<T *>(arena.data() + tensor.offset); }

  /// A tensor's elements, row-major.
  template <typename T> std::vector<T> read(const Tensor &tensor) {
    std::vector<T> elements(tensor.elements());
    Placement(tensor).unpack(at<T>(tensor), elements.data());
    return elements;
  }
  template <typename T> void write(const Tensor &tensor, std::span<const T> elements) {
    assert(static_cast<int64_t>(elements.size()) == tensor.elements() && "elements are of the tensor's shape");
    Placement(tensor).pack(elements.data(), at<T>(tensor));
  }

  /// A variable's elements, row-major.
  std::vector<float> elements(const Variable &variable) { return read<float>(variable); }
  void setElements(const Variable &variable, std::span<const float> elements);

  const Function *function(std::string_view name) const { return facts.function(name); }
  void call(const Function &function);
  /// Brings what `evaluate` and `predict` read up to date with the weights.
  void prepare();

  /// Counters of one kernel, summed over the workers.
  ResinCounter counter(size_t kernel) const;

private:
  Model(const ResinProgram &program, Manifest manifest, Arena arena, unsigned threads);

  const ResinProgram &program;
  Manifest facts;
  Arena arena;
  ThreadPool workers;
  std::vector<ResinCounter> counters; ///< [worker][kernel]
  Walker walker;
  bool prepared = false;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_MODEL_H
