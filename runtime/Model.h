//===- Model.h - The compiled network in memory -----------------*- C++ -*-===//
//
// Holds the device on which the network lives, knows its tensors and calls its entry
// functions. Everybody else speaks to compiled code through here.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_MODEL_H
#define RESIN_RUNTIME_MODEL_H

#include "runtime/Abi.h"
#include "runtime/Manifest.h"
#include "runtime/device/Device.h"
#include "support/Status.h"

#include <cassert>
#include <memory>
#include <span>

namespace resin::runtime {

class Model {
public:
  /// Checks version, manifest and device before anything compiled is touched.
  static StatusOr<std::unique_ptr<Model>> load(const ResinProgram &program, unsigned threads);
  static StatusOr<std::unique_ptr<Model>> load(const ResinProgram &program, std::unique_ptr<Device> device);

  const Manifest &manifest() const { return facts; }
  Device &device() { return *where; }
  ThreadPool &pool() { return where->workers(); }

  /// Where the host writes a tensor as it is to stand on the device; `upload` then brings it there.
  template <typename T> T *staging(const Tensor &tensor) {
    assert(tensor.type == kElementTypeOf<T> && "elements are written as what they are");
    return reinterpret_cast<T *>(where->staging(tensor.offset, tensor.bytes));
  }
  void upload(const Tensor &tensor) { where->upload(tensor.offset, tensor.bytes); }

  /// A tensor's elements, row-major.
  template <typename T> std::vector<T> read(const Tensor &tensor) {
    std::vector<T> elements(tensor.elements());
    assert(tensor.type == kElementTypeOf<T> && "elements are read as what they are");
    StorageMap(tensor.spec())
        .unpack(reinterpret_cast<const T *>(where->download(tensor.offset, tensor.bytes)), elements.data());
    return elements;
  }
  template <typename T> void write(const Tensor &tensor, std::span<const T> elements) {
    assert(static_cast<int64_t>(elements.size()) == tensor.elements() && "elements are of the tensor's shape");
    StorageMap(tensor.spec()).pack(elements.data(), staging<T>(tensor));
    upload(tensor);
  }

  /// A variable's elements, row-major.
  std::vector<float> elements(const Variable &variable) { return read<float>(variable); }
  void setElements(const Variable &variable, std::span<const float> elements);

  const Function *function(std::string_view name) const { return facts.function(name); }
  /// Runs the function to its end.
  void call(const Function &function);
  /// Brings what `evaluate` and `predict` read up to date with the weights.
  void prepare();

private:
  Model(const ResinProgram &program, Manifest manifest, std::unique_ptr<Device> device);

  const ResinProgram &program;
  Manifest facts;
  std::unique_ptr<Device> where;
  bool prepared = false;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_MODEL_H
