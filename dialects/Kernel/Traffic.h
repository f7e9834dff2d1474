//===- Traffic.h - What a function keeps in memory and moves ----*- C++ -*-===//
//
// What fusion has brought: which activations a function still stores for the whole
// batch, which are rebuilt piece by piece in a worker's scratch, and how many bytes go
// to and from memory.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DIALECTS_KERNEL_TRAFFIC_H
#define RESIN_DIALECTS_KERNEL_TRAFFIC_H

#include "dialects/Kernel/Kernel.h"

#include <optional>
#include <string>
#include <vector>

namespace resin::kernel {

struct Traffic {
  struct Activation {
    std::string layer; ///< whose kernel makes it
    std::string op;    ///< that computes it
    ViewType type;     ///< of all pieces
    int64_t bytes;
  };

  /// Of a function behind form-pieces.
  explicit Traffic(mlir::func::FuncOp function);

  int64_t images = 0; ///< 0: the function has no image
  std::vector<Activation> stored, rebuilt;
  /// If every op read its operands from memory and wrote its results there.
  int64_t bytesBefore = 0;
  /// As it is: a loop reads a place once and writes it once, and scratch is in cache.
  int64_t bytesAfter = 0;
};

/// How many images a call of the function reads: the leading extent of its input, by the module's task. Nothing if it
/// has none.
std::optional<int64_t> batchOf(mlir::func::FuncOp function);

/// The traffic of each function that has images, as comment lines.
void printTraffic(llvm::raw_ostream &out, mlir::ModuleOp module);

} // namespace resin::kernel

#endif // RESIN_DIALECTS_KERNEL_TRAFFIC_H
