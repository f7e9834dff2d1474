//===- LoadedKernels.h - Kernels called in this process ---------*- C++ -*-===//
//
// For tests, benchmarks and tuning: compiled kernels are linked into a shared object
// and loaded. Compiled programs don't need this: their kernels are linked in.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_LOADEDKERNELS_H
#define RESIN_CODEGEN_LOADEDKERNELS_H

#include "codegen/KernelLibrary.h"

#include <memory>
#include <string>
#include <vector>

namespace resin::codegen {

class LoadedKernels {
public:
  /// Links and loads `kernels`. On failure returns null and says why in `error`.
  static std::unique_ptr<LoadedKernels> load(const std::vector<CompiledKernel> &kernels, std::string &error);
  /// Compiles, links and loads.
  static std::unique_ptr<LoadedKernels> compile(const std::vector<KernelSpec> &specs, const CompileOptions &options,
                                                std::string &error);
  ~LoadedKernels();

  /// A function of the library, or null.
  void *find(const std::string &symbol) const;

private:
  explicit LoadedKernels(void *library) : library(library) {}
  void *library;
};

/// The most operands and results that `callKernel` can pass.
inline constexpr size_t kMaxKernelArguments = 64;

/// Calls a kernel with the addresses of its operands' and results' storage, on a kernel stack (support/KernelStack.h):
/// who calls many stands on one already.
int callKernel(void *function, const std::vector<void *> &storage);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_LOADEDKERNELS_H
