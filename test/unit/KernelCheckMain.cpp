//===- KernelCheckMain.cpp - kernel-check: a network's kernels ------------===//
//
//   kernel-check FILE...
//
// Reads what `resin build --emit=kernel` wrote, and compares every kernel it launches
// with the interpreter. Compiled kernels are kept where RESIN_CACHE says.
//
//===----------------------------------------------------------------------===//

#include "test/unit/KernelCheck.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

using namespace resin;

/// The text of every `spec "..."` in a file.
static std::set<std::string> specsIn(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}}, begin = "spec \"";
  std::set<std::string> specs;
  for (size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    at += begin.size();
    specs.insert(text.substr(at, text.find('"', at) - at));
  }
  return specs;
}

static bool isGradient(const std::string &text) { return text.find("_grad") != std::string::npos; }

int main(int argc, char **argv) {
  std::vector<KernelSpec> forward, gradients;
  for (int i = 1; i < argc; ++i)
    for (const std::string &text : specsIn(argv[i])) {
      KernelSpec spec;
      std::string error;
      if (!parse(text, spec, error)) {
        std::cerr << argv[i] << ": " << text << "\n  " << error << "\n";
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
  std::cout << forward.size() + gradients.size() << " kernels, " << wrong.size() << " wrong\n";
  return !wrong.empty();
}
