//===- ReplayTrials.cpp - replay-trials: kernels recorded elsewhere -------===//
//
//   replay-trials FOLDER
//
// Checks every kernel of a folder that TrialFolder.h wrote, on this CPU. Prints a line
// for each, with its greatest error beside the largest magnitude of a result, and what is
// wrong with it; then how many there were of each template, with the worst of their errors.
//
//===----------------------------------------------------------------------===//

#include "tuning/KernelTrial.h"

#include <dlfcn.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

using namespace resin;

namespace {

struct Tally {
  int kernels = 0, wrong = 0;
  double worst = 0;
};

/// Kernels have megabytes of scratch on the stack; only a new process image gets a larger one.
void enlargeStack(char **argv) {
  rlimit limit;
  const rlim_t wanted = rlim_t(256) << 20;
  if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur >= wanted)
    return;
  limit.rlim_cur = wanted;
  if (!setrlimit(RLIMIT_STACK, &limit))
    execv("/proc/self/exe", argv);
}

/// "conv2d_grad_data direct": the op that the kernel is named after, without its shape, and its template.
std::string familyOf(const std::string &symbol, const std::string &how) {
  const std::string op = std::regex_replace(symbol, std::regex("_[a-z]?[0-9].*|__.*"), "");
  return how == "-" ? op : op + " " + how.substr(0, how.find(':'));
}

/// Checks the kernel of `path`.trial; its row of the tally.
void replay(const std::string &path, std::map<std::string, Tally> &tallies) {
  std::ifstream in(path + ".trial", std::ios::binary);
  std::string line, symbol, how, error;
  double tolerance = 0;
  size_t pairs = 0;
  std::vector<std::pair<size_t, size_t>> inPlace;
  std::getline(in, line);
  std::istringstream head(line);
  head >> symbol >> how >> tolerance >> pairs;
  for (size_t operand, result; pairs-- && head >> operand >> result;)
    inPlace.emplace_back(operand, result);
  std::unique_ptr<KernelTrial> trial = KernelTrial::restore(in, error);
  void *library = dlopen((path + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  void *function = library ? dlsym(library, symbol.c_str()) : nullptr;
  if (trial)
    error = function ? trial->check(function, tolerance, inPlace) : "no such kernel";
  const double worst = trial ? trial->worstError() : 0;
  std::printf("%s %s %.1e%s\n", symbol.c_str(), how.c_str(), worst, error.empty() ? "" : (" WRONG " + error).c_str());
  std::fflush(stdout);
  Tally &tally = tallies[familyOf(symbol, how)];
  ++tally.kernels;
  tally.wrong += !error.empty();
  tally.worst = std::max(tally.worst, worst);
  if (library)
    dlclose(library);
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: replay-trials FOLDER\n");
    return 64;
  }
  enlargeStack(argv);
  std::map<std::string, Tally> tallies;
  for (int i = 0; std::filesystem::exists(argv[1] + ("/" + std::to_string(i)) + ".trial"); ++i)
    replay(argv[1] + ("/" + std::to_string(i)), tallies);
  Tally all;
  for (const auto &[family, tally] : tallies) {
    std::printf("%-38s %4d kernels, %d wrong, worst error %.1e\n", family.c_str(), tally.kernels, tally.wrong,
                tally.worst);
    all.kernels += tally.kernels;
    all.wrong += tally.wrong;
  }
  std::printf("%d kernels, %d wrong\n", all.kernels, all.wrong);
  return !all.kernels || all.wrong;
}
