//===- KernelCheckMain.cpp - kernel-check: a network's kernels ------------===//
//
//   kernel-check FILE...
//
// Reads what `resin build --emit=kernel` wrote, and compares every kernel that is
// launched there with the interpreter, once even if several files launch it. Compiled
// kernels are kept where RESIN_CACHE says.
//
//===----------------------------------------------------------------------===//

#include "test/unit/KernelCheck.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

using namespace resin;

/// Adds the text of every `spec "..."` in a file.
static bool collectSpecs(const std::string &path, std::set<std::string> &specs) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}}, begin = "spec \"";
  for (size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    at += begin.size();
    specs.insert(text.substr(at, text.find('"', at) - at));
  }
  return file.is_open();
}

static bool isGradient(const std::string &text) { return text.find("_grad") != std::string::npos; }

int main(int argc, char **argv) {
  std::set<std::string> texts;
  for (int i = 1; i < argc; ++i)
    if (!collectSpecs(argv[i], texts)) {
      std::cerr << "cannot read '" << argv[i] << "'\n";
      return 1;
    }
  std::vector<KernelSpec> forward, gradients;
  for (const std::string &text : texts) {
    KernelSpec spec;
    std::string error;
    if (!parse(text, spec, error)) {
      std::cerr << text << "\n  " << error << "\n";
      return 1;
    }
    (isGradient(text) ? gradients : forward).push_back(spec);
  }
  CheckOptions options;
  if (const char *cache = std::getenv("RESIN_CACHE"))
    options.cacheDirectory = cache;
  std::vector<std::string> wrong = findWrongKernels(forward, options);
  options.tolerance = 1e-4;
  std::vector<std::string> more = findWrongKernels(gradients, options);
  wrong.insert(wrong.end(), more.begin(), more.end());
  for (const std::string &what : wrong)
    std::cout << what << "\n";
  std::cout << texts.size() << " kernels, " << wrong.size() << " wrong\n";
  return !wrong.empty();
}
