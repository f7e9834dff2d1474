//===- Doctor.cpp - `resin doctor`: what is here, what is missing ---------===//

#include "driver/Doctor.h"

#include "codegen/KernelLibrary.h"
#include "codegen/host/Linker.h"
#include "driver/Cache.h"
#include "driver/Told.h"
#include "machine/Targets.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/TargetParser/Host.h"

#include <thread>

using namespace resin;

namespace {

/// Prints a line for each thing looked for, and remembers whether one was missing.
struct Report {
  bool complete = true;

  void note(llvm::StringRef what, llvm::StringRef found) {
    llvm::outs() << llvm::formatv("{0,-16} {1}\n", what, found);
  }
  void want(llvm::StringRef what, llvm::StringRef found, llvm::StringRef advice) {
    complete &= !found.empty();
    note(what, found.empty() ? ("MISSING: " + advice).str() : found.str());
  }
};

} // namespace

static void reportTargets(Report &report) {
  report.note(
      "processor",
      (llvm::sys::getHostCPUName() + ", " + llvm::Twine(std::thread::hardware_concurrency()) + " threads").str());
  TargetInfo target;
  std::string error;
  report.want("--target host", findTarget("host", target, error) ? target.name : "",
              "an x86-64 processor is needed: " + error);
  for (llvm::StringRef name : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    if (findTarget(name.str(), target, error)) {
      std::vector<std::string> missing = missingFeatures(target);
      report.note(name, missing.empty() ? "runs here"
                                        : "can be built for, does not run here: lacks " + llvm::join(missing, ", "));
    }
}

static void reportCache(Report &report) {
  std::string folder = cacheDirectory();
  bool usable = !folder.empty() && !llvm::sys::fs::create_directories(folder) && llvm::sys::fs::can_write(folder);
  report.want("kernel cache", usable ? folder : "",
              "set RESIN_CACHE to a folder that can be written; builds stay slow until then");
}

Status resin::doctor(const std::string &resinPath) {
  Report report;
  report.note("resin", RESIN_VERSION);
  report.note("MLIR and LLVM", LLVM_VERSION_STRING);
  report.note("kernels", codegen::codegenVersion());
  report.want("link driver", findLinkDriver(), "install clang-22 or g++, or name a C++ compiler in RESIN_CXX");
  report.want("runtime", findRuntimeArchive(resinPath),
              "libResinRuntime.a belongs into ../lib beside resin: build the target ResinRuntime");
  reportTargets(report);
  reportCache(report);
  return report.complete ? Status() : alreadyTold(ExitCode::Failure);
}
