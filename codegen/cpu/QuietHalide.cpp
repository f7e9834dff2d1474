//===- QuietHalide.cpp - Halide's messages become exceptions --------------===//
//
// Halide reports through one global object. It prints warnings to standard error
// by default; ours drops them and throws errors.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Builder.h"

using namespace Halide;

namespace resin::codegen {

namespace {
struct Reporter : CompileTimeErrorReporter {
  void warning(const char *) override {}
  void error(const char *message) override { throw CompileError(message); }
};
} // namespace

void quietHalide() {
  static Reporter reporter;
  set_custom_compile_time_error_reporter(&reporter);
}

} // namespace resin::codegen
