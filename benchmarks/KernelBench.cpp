//===- KernelBench.cpp - Every kernel beside the machine's FMA peak -------===//
//
// Times kernels alone, on one thread, on a piece in cache as it is in a training
// step, or on operands that come from memory (`--copies`). `peak_share` is of the multiply-adds this core reached in
// the same run; Winograd's kernels are counted as what the plain sum would take, so they may pass 1.
//
//   KernelBench                        the convolutions of ResNet-18 and ResNet-20, all on
//                                      pieces of images; a net cuts the gradients of
//                                      large filters by output channels instead
//   KernelBench --specs=net.mlir       every kernel named in a file, as written by
//                                      resin build net.resin --emit=planned -o net.mlir
//   KernelBench --templates            each convolution by every template that takes it,
//                                      its default first
//   KernelBench --copies=N             N copies of operands and results, used in turns: each
//                                      call finds its own as the N - 1 calls between left
//                                      them. Where N of them exceed the caches, filters come
//                                      from memory, as in a network at batch 1
//   KernelBench --benchmark_filter=... and the other flags of Google Benchmark
//
//===----------------------------------------------------------------------===//

#include "codegen/Backends.h"
#include "codegen/LoadedKernels.h"
#include "support/KernelSpec.h"
#include "support/KernelStack.h"
#include "tuning/KernelClock.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>

using namespace resin;

namespace {

constexpr int kMostCopies = 256;

void timeKernel(benchmark::State &state, const KernelSpec &spec, void *function, int copies) {
  std::vector<std::unique_ptr<tuning::KernelArena>> storage;
  for (int i = 0; i < copies; ++i)
    storage.push_back(std::make_unique<tuning::KernelArena>(spec));
  size_t turn = 0;
  double peak = 0, best = 1e30;
  for (int i = 0; i < 8; ++i)
    peak = std::max(peak, tuning::multiplyAddRate());
  for (auto _ : state) {
    const std::vector<void *> &addresses = storage[turn++ % storage.size()]->addresses();
    const double begin = tuning::threadSeconds();
    codegen::callKernel(function, addresses);
    const double seconds = tuning::threadSeconds() - begin;
    best = std::min(best, seconds);
    state.SetIterationTime(seconds);
  }
  for (int i = 0; i < 8; ++i)
    peak = std::max(peak, tuning::multiplyAddRate());
  const double rate = floatingPointOperations(spec) / best * 1e-9;
  state.counters["GFLOP/s"] = rate;
  state.counters["GB/s"] = bytesTouched(spec) / best * 1e-9;
  state.counters["peak"] = peak;
  state.counters["peak_share"] = rate / peak;
}

void BM_Kernel(benchmark::State &state, const KernelSpec &spec, void *function, int copies) {
  onKernelStack([&] { timeKernel(state, spec, function, copies); });
}

//===----------------------------------------------------------------------===//
// Which kernels
//===----------------------------------------------------------------------===//

struct Layer {
  int n, c, size, k, r, stride; ///< a piece of n images
};

/// Pieces as `passes/Pieces.cpp` cuts them for batches of 16 and 128.
const Layer kResNet18[] = {{1, 3, 224, 64, 7, 2},   {1, 64, 56, 64, 3, 1},   {1, 64, 56, 128, 3, 2},
                           {1, 64, 56, 128, 1, 2},  {1, 128, 28, 128, 3, 1}, {4, 128, 28, 256, 3, 2},
                           {4, 128, 28, 256, 1, 2}, {4, 256, 14, 256, 3, 1}, {4, 256, 14, 512, 3, 2},
                           {4, 256, 14, 512, 1, 2}, {4, 512, 7, 512, 3, 1}};
const Layer kResNet20[] = {{4, 3, 32, 16, 3, 1},  {4, 16, 32, 16, 3, 1},  {8, 16, 32, 32, 3, 2},
                           {8, 32, 16, 32, 3, 1}, {16, 32, 16, 64, 3, 2}, {16, 64, 8, 64, 3, 1}};

/// Forward with batch norm's sums, data gradient with its mask and sums, weight gradient.
std::vector<std::string> specsOf(const Layer &l) {
  const int pad = l.r / 2, out = (l.size + 2 * pad - l.r) / l.stride + 1, halo = std::max(1, pad);
  auto tensor = [](std::vector<int> shape, const std::string &layout) {
    std::string text = "f32[";
    for (size_t i = 0; i < shape.size(); ++i)
      text += (i ? "," : "") + std::to_string(shape[i]);
    return text + "]" + layout;
  };
  auto list = [](std::vector<int> values) {
    std::string text = "[";
    for (size_t i = 0; i < values.size(); ++i)
      text += (i ? "," : "") + std::to_string(values[i]);
    return text + "]";
  };
  const bool stem = l.c < 16;
  const std::string h = "h" + std::to_string(halo), common = "dilations=[1,1], groups=1",
                    window = ", padding=" + list({pad, pad, pad, pad}),
                    strides = ", strides=" + list({l.stride, l.stride});
  const std::vector<int> x = {l.n, l.c, l.size, l.size}, y = {l.n, l.k, out, out}, w = {l.k, l.c, l.r, l.r};
  const std::string image = tensor(x, stem ? h : "c16" + h), gradient = tensor(y, stem ? "c16" : "c16h1"),
                    sumK = "f64" + list({1, l.k}) + "c16", sumC = "f64" + list({1, l.c}) + "c16",
                    filters = stem ? "k16" : "k16c16";
  std::vector<std::string> specs = {
      "(" + image + ", " + tensor(w, filters) + ") { %2 = conv2d(%0, %1) {" + common + window + strides + "} : f32" +
          list(y) + "; %3 = channel_sum(%2) {pieces=1} : f64" + list({1, l.k}) +
          "; %4 = channel_dot(%2, %2) {pieces=1} : f64" + list({1, l.k}) + " } -> (%2: " + tensor(y, "c16") +
          ", %3: " + sumK + ", %4: " + sumK + ")",
      "(" + image + ", " + gradient + ") { %2 = conv2d_grad_weight(%0, %1) {" + common +
          ", kernel=" + list({l.r, l.r}) + ", lane=1" + window + strides + "} : f32" + list({1, l.k, l.c, l.r, l.r}) +
          " } -> (%2: " + tensor({1, l.k, l.c, l.r, l.r}, filters) + ")"};
  if (!stem)
    specs.push_back("(" + gradient + ", " + tensor(w, "c16k16") + ", " + tensor(x, "c16h1") + ", " + tensor(x, "c16") +
                    ") { %4 = conv2d_grad_data(%0, %1) {" + common + window + ", size=" + list({l.size, l.size}) +
                    strides + "} : f32" + list(x) + "; %5 = relu_grad(%4, %2) {} : f32" + list(x) +
                    "; %6 = channel_sum(%5) {pieces=1} : f64" + list({1, l.c}) +
                    "; %7 = channel_dot(%5, %3) {pieces=1} : f64" + list({1, l.c}) + " } -> (%5: " + tensor(x, "c16") +
                    ", %6: " + sumC + ", %7: " + sumC + ")");
  return specs;
}

/// The specs that a file quotes: spec "...".
std::vector<std::string> specsIn(const std::string &path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}}, mark = "spec \"";
  std::vector<std::string> specs;
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
    at += mark.size();
    specs.push_back(text.substr(at, text.find('"', at) - at));
  }
  return specs;
}

bool parseSpecs(const std::vector<std::string> &texts, std::vector<KernelSpec> &specs) {
  std::set<std::string> seen;
  for (const std::string &text : texts) {
    KernelSpec spec;
    std::string error;
    if (!parse(text, spec, error)) {
      std::cerr << "error: " << error << "\n  " << text << "\n";
      return false;
    }
    if (seen.insert(symbol(spec)).second)
      specs.push_back(spec);
  }
  return true;
}

/// Each kernel once, or once by every template that takes it: the first of its starting knobs.
std::vector<codegen::KernelRequest> requestsOf(const std::vector<KernelSpec> &specs, bool byTemplates) {
  TargetInfo host;
  std::string error;
  findTarget("host", host, error);
  std::vector<codegen::KernelRequest> requests;
  for (const KernelSpec &spec : specs) {
    std::set<std::string> seen;
    if (byTemplates)
      for (const Knobs &knobs : codegen::backendOf(host).plan(spec, host)->starts())
        if (seen.insert(knobs.form).second)
          requests.push_back({spec, knobs});
    if (seen.empty())
      requests.push_back({spec});
  }
  return requests;
}

} // namespace

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  std::vector<std::string> texts;
  const std::string flag = "--specs=", copiesFlag = "--copies=";
  bool byTemplates = false;
  int copies = 1;
  for (int i = 1; i < argc; ++i) {
    if (argv[i] == std::string("--templates")) {
      byTemplates = true;
      continue;
    }
    if (std::string(argv[i]).starts_with(copiesFlag)) {
      const char *number = argv[i] + copiesFlag.size(), *end = number + std::strlen(number);
      const auto [read, code] = std::from_chars(number, end, copies);
      if (code != std::errc() || read != end || copies < 1 || copies > kMostCopies) {
        std::cerr << "error: --copies is from 1 to " << kMostCopies << ", not '" << number << "'\n";
        return 64;
      }
      continue;
    }
    if (std::string(argv[i]).rfind(flag, 0) != 0) {
      std::cerr << "error: unknown argument '" << argv[i] << "'\n";
      return 64;
    }
    texts = specsIn(argv[i] + flag.size());
    if (texts.empty()) {
      std::cerr << "error: no kernel is named in '" << argv[i] + flag.size() << "'\n";
      return 66;
    }
  }
  if (texts.empty()) {
    for (const Layer &layer : kResNet18)
      for (const std::string &spec : specsOf(layer))
        texts.push_back(spec);
    for (const Layer &layer : kResNet20)
      for (const std::string &spec : specsOf(layer))
        texts.push_back(spec);
  }
  std::vector<KernelSpec> specs;
  if (!parseSpecs(texts, specs))
    return 65;
  const std::vector<codegen::KernelRequest> requests = requestsOf(specs, byTemplates);
  std::vector<codegen::CompiledKernel> kernels;
  std::vector<std::unique_ptr<codegen::LoadedKernels>> libraries; // one each: knobs do not change a kernel's symbol
  std::string error;
  if (!codegen::compileKernels(requests, {}, kernels, error)) {
    std::cerr << "error: " << error << "\n";
    return 1;
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    libraries.push_back(codegen::LoadedKernels::load({kernels[i]}, error));
    if (!libraries.back()) {
      std::cerr << "error: " << error << "\n";
      return 1;
    }
    std::string name = "BM_Kernel/" + kernels[i].symbol;
    if (!requests[i].knobs.empty())
      name += "/" + printKnobs(requests[i].knobs);
    benchmark::RegisterBenchmark(name.c_str(), BM_Kernel, requests[i].spec, libraries[i]->find(kernels[i].symbol),
                                 copies)
        ->UseManualTime()
        ->MinTime(0.1)
        ->Unit(benchmark::kMicrosecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
