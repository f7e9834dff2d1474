//===- KernelLibrary.h - KernelSpecs to object code -------------*- C++ -*-===//
//
// The façade of codegen: a set of KernelSpecs goes in, object code comes out. No
// Halide type is visible here, and no exception of Halide's comes out.
//
// Each kernel is compiled by a process of its own (a fork): names that Halide makes
// unique count from the same start every time, so that the same spec gives the same
// bytes in every run, and a crash in a compiler is a message.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_KERNELLIBRARY_H
#define RESIN_CODEGEN_KERNELLIBRARY_H

#include "codegen/Backend.h"
#include "support/KernelStack.h"

#include <string>
#include <vector>

namespace resin::codegen {

struct CompileOptions {
  std::string target = "host"; ///< a name that `findTarget` knows
  unsigned jobs = 0;           ///< kernels compiled at once; 0: as many as there are processors
  /// Where objects are kept by content; empty: nowhere. Made if it is not there.
  std::string cacheDirectory = {};
  /// Scratch beyond which a kernel is built in its frugal form; for tests, which do without a cache.
  int64_t mostScratch = kMostKernelScratch;
};

/// A kernel to compile, and by which knobs of a template: of those its KnobSpace
/// accepts; none for the template's own choice.
struct KernelRequest {
  KernelSpec spec;
  Knobs knobs = {};
};

/// An object file that defines one global symbol, `symbol(spec)`, and uses none but
/// memset and memcpy:
///   int32_t SYMBOL(halide_buffer_t *operand0, ..., halide_buffer_t *result0, ...)
/// Only `host` of each buffer is read: the start of the tensor's storage, halo
/// included, on a 64-byte boundary unless the layout is dense. Results overlap no
/// operand, except that optimizers and `running_average` may update in place.
struct CompiledKernel {
  std::string symbol;
  std::string object;    ///< the file's bytes; empty if it could not be made
  std::string complaint; ///< then why
  bool cached = false;
};

/// Compiles `requests`, each of them once: one kernel for each spec and knobs, in the
/// order of first occurrence. On failure returns false, with a line in `error` for each
/// kernel that failed. A cache that cannot be used is only mentioned in `warning`.
bool compileKernels(const std::vector<KernelRequest> &requests, const CompileOptions &options,
                    std::vector<CompiledKernel> &kernels, std::string &error, std::string *warning = nullptr);
/// The same untuned.
bool compileKernels(const std::vector<KernelSpec> &specs, const CompileOptions &options,
                    std::vector<CompiledKernel> &kernels, std::string &error, std::string *warning = nullptr);

/// Hash of everything that objects depend on beside spec and target: the sources that build kernels, the machine's
/// figures, the order in memory, the facts of ops (CMakeLists.txt) and Halide's version.
std::string codegenVersion();

} // namespace resin::codegen

#endif // RESIN_CODEGEN_KERNELLIBRARY_H
