//===- TrialFolder.cpp - Kernels and what they must compute ---------------===//

#include "test/emulated/TrialFolder.h"

#include "codegen/Backends.h"
#include "codegen/KernelLibrary.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace resin {

namespace {

/// Each kernel once, or once by every template that takes it: the first of its starting knobs.
std::vector<codegen::KernelRequest> requestsOf(const std::vector<KernelSpec> &specs, const TargetInfo &target) {
  std::vector<codegen::KernelRequest> requests;
  std::set<std::string> seen;
  for (const KernelSpec &spec : specs) {
    if (!seen.insert(print(spec)).second)
      continue;
    std::set<std::string> templates;
    for (const Knobs &knobs : codegen::backendOf(target).plan(spec, target)->starts())
      if (templates.insert(knobs.form).second)
        requests.push_back({spec, knobs});
    if (templates.empty())
      requests.push_back({spec});
  }
  return requests;
}

/// N of the next N.trial.
int countTrials(const std::string &folder) {
  int count = 0;
  while (std::filesystem::exists(folder + "/" + std::to_string(count) + ".trial"))
    ++count;
  return count;
}

bool linkKernel(const codegen::CompiledKernel &kernel, const std::string &library) {
  const std::string object = library + ".o";
  std::ofstream(object, std::ios::binary) << kernel.object;
  const bool linked = !std::system((RESIN_LLD " -shared -o '" + library + "' '" + object + "'").c_str());
  std::filesystem::remove(object);
  return linked;
}

/// A word, as heads are read word by word.
std::string withoutBlanks(std::string text) {
  std::erase(text, ' ');
  return text;
}

/// The head of a trial, which says to whoever reads its result what ran.
void writeHead(std::ostream &out, const codegen::KernelRequest &request, const CheckOptions &options) {
  out << symbol(request.spec) << ' ' << (request.knobs.empty() ? "-" : withoutBlanks(printKnobs(request.knobs))) << ' '
      << options.tolerance << ' ' << options.inPlace.size();
  for (auto [operand, result] : options.inPlace)
    out << ' ' << operand << ' ' << result;
  out << '\n';
}

} // namespace

std::vector<std::string> recordTrials(const std::vector<KernelSpec> &specs, const CheckOptions &options,
                                      const std::string &folder) {
  codegen::CompileOptions compile;
  const char *chosen = std::getenv("RESIN_RECORD_TARGET");
  compile.target = chosen ? chosen : "x86-64-v4";
  compile.cacheDirectory = options.cacheDirectory;
  TargetInfo target;
  std::string error;
  if (!findTarget(compile.target, target, error))
    return {error};
  const std::vector<codegen::KernelRequest> requests = requestsOf(specs, target);
  std::vector<codegen::CompiledKernel> kernels;
  std::vector<std::string> wrong;
  if (!codegen::compileKernels(requests, compile, kernels, error))
    wrong.push_back(error);
  std::filesystem::create_directories(folder);
  int number = countTrials(folder);
  std::unique_ptr<KernelTrial> trial;
  std::string previous;
  for (size_t i = 0; i < kernels.size(); ++i) {
    if (kernels[i].object.empty())
      continue;
    const std::string text = print(requests[i].spec), path = folder + "/" + std::to_string(number);
    if (text != previous) // the templates of a kernel follow each other
      trial = KernelTrial::create(requests[i].spec, options.seed, error);
    previous = text;
    if (!trial || !linkKernel(kernels[i], path + ".so")) {
      wrong.push_back(text + "\n  " + (trial ? "does not link" : error));
      continue;
    }
    std::ofstream out(path + ".trial", std::ios::binary);
    writeHead(out, requests[i], options);
    trial->save(out);
    ++number;
  }
  return wrong;
}

} // namespace resin
