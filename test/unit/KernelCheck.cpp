//===- KernelCheck.cpp - Kernels against the interpreter ------------------===//

#include "test/unit/KernelCheck.h"

#include "codegen/LoadedKernels.h"
#include "test/emulated/TrialFolder.h"

#include <cstdlib>

namespace resin {

/// Runs a kernel; says what is wrong with it, or nothing.
static std::string checkLoaded(const KernelSpec &spec, void *function, const CheckOptions &options) {
  std::string error;
  auto trial = KernelTrial::create(spec, options.seed, error);
  return trial ? trial->check(function, options.tolerance, options.inPlace) : error;
}

std::vector<std::string> findWrongKernels(const std::vector<KernelSpec> &specs, const CheckOptions &options) {
  if (const char *folder = std::getenv("RESIN_RECORD_TRIALS"))
    return recordTrials(specs, options, folder);
  codegen::CompileOptions compile;
  compile.target = options.target;
  compile.cacheDirectory = options.cacheDirectory;
  compile.mostScratch = options.mostScratch;
  std::vector<codegen::CompiledKernel> kernels;
  std::vector<std::string> wrong;
  std::string error;
  if (!codegen::compileKernels(specs, compile, kernels, error))
    wrong.push_back(error);
  std::erase_if(kernels, [](const codegen::CompiledKernel &kernel) { return kernel.object.empty(); });
  auto library = codegen::LoadedKernels::load(kernels, error);
  if (!library) {
    wrong.push_back(error);
    return wrong;
  }
  for (const KernelSpec &spec : specs)
    if (void *function = library->find(symbol(spec)))
      if (std::string what = checkLoaded(spec, function, options); !what.empty())
        wrong.push_back(print(spec) + "\n  " + what);
  return wrong;
}

testing::AssertionResult checkKernel(const std::string &text, const CheckOptions &options) {
  KernelSpec spec;
  std::string error;
  if (!parse(text, spec, error))
    return testing::AssertionFailure() << text << "\n  " << error;
  std::vector<std::string> wrong = findWrongKernels({spec}, options);
  return wrong.empty() ? testing::AssertionSuccess() : testing::AssertionFailure() << wrong.front();
}

void checkKernels(const std::vector<std::string> &texts, const CheckOptions &options) {
  std::vector<KernelSpec> specs;
  for (const std::string &text : texts) {
    KernelSpec spec;
    std::string error;
    if (parse(text, spec, error))
      specs.push_back(spec);
    else
      ADD_FAILURE() << text << "\n  " << error;
  }
  for (const std::string &wrong : findWrongKernels(specs, options))
    ADD_FAILURE() << wrong;
}

void checkBothForms(const std::vector<std::string> &texts, CheckOptions options) {
  checkKernels(texts, options);
  SCOPED_TRACE("frugal");
  options.mostScratch = 0;
  checkKernels(texts, options);
}

} // namespace resin
