//===- ProgramDouble.cpp - Stands in for a compiled program ---------------===//

#include "test/unit/ProgramDouble.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <unistd.h>
#include <x86intrin.h>

namespace {

#ifndef DOUBLE_BATCH
#define DOUBLE_BATCH 16
#endif

constexpr int64_t kBatch = DOUBLE_BATCH, kClasses = 10, kChannels = 3, kSide = 32, kHalo = 1;
constexpr int64_t kFeatures = kChannels * kSide * kSide;
constexpr int64_t kPadded = kSide + 2 * kHalo;
constexpr int64_t kImage = kChannels * kPadded * kPadded; // floats of one image
constexpr float kMomentum = 0.9f;

// Offsets in floats. Weights are [o/16][i][16 o].
constexpr int64_t kWeight = 0;
constexpr int64_t kWeightFloats = kFeatures * 16;
constexpr int64_t kBias = kWeight + kWeightFloats;
constexpr int64_t kSeen = kBias + 16; // a statistic: mean of the images' first channel
constexpr int64_t kWeightSlot = kSeen + 16;
constexpr int64_t kBiasSlot = kWeightSlot + kWeightFloats;
constexpr int64_t kReady = kBiasSlot + 16; // prepared: a copy of the weights
constexpr int64_t kImages = kReady + kWeightFloats;
constexpr int64_t kLabels = kImages + kBatch * kImage;
constexpr int64_t kScalars = kLabels + 16; // learning rate, step, seed
constexpr int64_t kLoss = kScalars + 16;
constexpr int64_t kRank = kLoss + 16;
constexpr int64_t kLogits = kRank + 16; // [n][16]
constexpr int64_t kGradient = kLogits + kBatch * 16;
constexpr int64_t kArena = kGradient + kBatch * 16;
constexpr int64_t kScratch = 64;

float *floats(const ResinCall *call, int64_t offset) { return reinterpret_cast<float *>(call->arena) + offset; }
int32_t *words(const ResinCall *call, int64_t offset) { return reinterpret_cast<int32_t *>(call->arena) + offset; }

float feature(const ResinCall *call, int64_t image, int64_t index) {
  const int64_t c = index / (kSide * kSide), y = index / kSide % kSide, x = index % kSide;
  return floats(call, kImages)[image * kImage + (c * kPadded + y + kHalo) * kPadded + x + kHalo];
}

void count(const ResinCall *call, int64_t worker, int64_t kernel, uint64_t start) {
  ResinCounter &counter = call->counters[worker * 2 + kernel];
  counter.ticks += __rdtsc() - start;
  ++counter.calls;
}

/// logits[image] = weights of `from` * image + bias; the scratch of the worker is used
/// as a kernel would.
void computeLogits(const ResinCall *call, int64_t from, int64_t image, int64_t worker) {
  const uint64_t start = __rdtsc();
  float *sums = floats(call, kArena) + worker * (kScratch / 4);
  std::fill_n(sums, kClasses, 0.0f);
  for (int64_t i = 0; i < kFeatures; ++i)
    for (int64_t o = 0; o < kClasses; ++o)
      sums[o] += floats(call, from)[i * 16 + o] * feature(call, image, i);
  for (int64_t o = 0; o < kClasses; ++o)
    floats(call, kLogits)[image * 16 + o] = sums[o] + floats(call, kBias)[o];
  count(call, worker, 0, start);
}

/// Loss, rank and gradient of the logits of one image.
void computeLoss(const ResinCall *call, int64_t image) {
  const float *logits = floats(call, kLogits) + image * 16;
  float *gradient = floats(call, kGradient) + image * 16;
  const int32_t label = words(call, kLabels)[image];
  std::fill_n(gradient, 16, 0.0f);
  if (label < 0) {
    floats(call, kLoss)[image] = 0;
    words(call, kRank)[image] = kClasses;
    return;
  }
  float largest = *std::max_element(logits, logits + kClasses), sum = 0;
  int32_t rank = 0;
  for (int64_t o = 0; o < kClasses; ++o) {
    sum += std::exp(logits[o] - largest);
    rank += logits[o] > logits[label] || (logits[o] == logits[label] && o < label);
  }
  for (int64_t o = 0; o < kClasses; ++o)
    gradient[o] = (std::exp(logits[o] - largest) / sum - (o == label)) / kBatch;
  floats(call, kLoss)[image] = largest + std::log(sum) - logits[label];
  words(call, kRank)[image] = rank;
}

/// Momentum on one feature's weights.
void updateFeature(const ResinCall *call, int64_t feature_, int64_t worker) {
  const uint64_t start = __rdtsc();
  const float rate = floats(call, kScalars)[0];
  for (int64_t o = 0; o < kClasses; ++o) {
    float gradient = 0;
    for (int64_t n = 0; n < kBatch; ++n)
      gradient += floats(call, kGradient)[n * 16 + o] * feature(call, n, feature_);
    float &slot = floats(call, kWeightSlot)[feature_ * 16 + o];
    slot = kMomentum * slot + gradient;
    floats(call, kWeight)[feature_ * 16 + o] -= rate * slot;
  }
  count(call, worker, 1, start);
}

/// Breaks what a runtime may not rely on: arguments do not outlive the call.
void spoilArguments(const ResinCall *call) { std::memset(floats(call, kImages), 0xff, 4 * (kScalars - kImages)); }

void forward(const ResinCall *call, const ResinBuffer *, int64_t image, int64_t worker) {
  computeLogits(call, kWeight, image, worker);
}

void loss(const ResinCall *call, const ResinBuffer *, int64_t image, int64_t) { computeLoss(call, image); }

void forwardReady(const ResinCall *call, const ResinBuffer *, int64_t image, int64_t worker) {
  computeLogits(call, kReady, image, worker);
}

void mean(const ResinCall *call, const ResinBuffer *, int64_t, int64_t) {
  float mean = 0;
  for (int64_t n = 0; n < kBatch; ++n)
    mean += feature(call, n, 0) / kBatch;
  floats(call, kSeen)[0] += 0.1f * (mean - floats(call, kSeen)[0]);
}

void update(const ResinCall *call, const ResinBuffer *, int64_t feature, int64_t worker) {
  updateFeature(call, feature, worker);
}

void updateBias(const ResinCall *call, const ResinBuffer *, int64_t, int64_t) {
  for (int64_t o = 0; o < kClasses; ++o) {
    float gradient = 0;
    for (int64_t n = 0; n < kBatch; ++n)
      gradient += floats(call, kGradient)[n * 16 + o];
    float &slot = floats(call, kBiasSlot)[o];
    slot = kMomentum * slot + gradient;
    floats(call, kBias)[o] -= floats(call, kScalars)[0] * slot;
  }
}

void prepare(const ResinCall *call, const ResinBuffer *, int64_t, int64_t) {
  std::copy_n(floats(call, kWeight), kWeightFloats, floats(call, kReady));
}

void spoil(const ResinCall *call, const ResinBuffer *, int64_t, int64_t) { spoilArguments(call); }

void sleep(const ResinCall *, const ResinBuffer *, int64_t, int64_t) {
  if (const char *slow = std::getenv("RESIN_DOUBLE_SLEEP"))
    ::usleep(static_cast<useconds_t>(std::atoi(slow)) * 1000);
}

// Launches have no operands: the kernels know where everything is.
constexpr ResinKernel kKernels[] = {forward, loss, forwardReady, mean, update, updateBias, prepare, spoil, sleep};
constexpr uint32_t kForward = 0, kLossKernel = 1, kForwardReady = 2, kMean = 3, kUpdate = 4, kUpdateBias = 5,
                   kPrepare = 6, kSpoil = 7, kSleep = 8;

constexpr ResinLaunch launchOf(uint32_t kernel) { return {kernel, RESIN_NOT_COUNTED, 0, 0}; }

constexpr ResinLaunch kLaunches[] = {
    launchOf(kForward), launchOf(kLossKernel),   launchOf(kMean),         launchOf(kUpdate),     launchOf(kUpdateBias),
    launchOf(kSpoil),   launchOf(kSleep),        launchOf(kForwardReady), launchOf(kLossKernel), launchOf(kSpoil),
    launchOf(kPrepare), launchOf(kForwardReady), launchOf(kSpoil)};

// Launches, their first piece in the region and how many.
constexpr ResinLoop kLoops[] = {{0, 2, 0, kBatch},                    // a step: forward and loss,
                                {2, 1, 0, 1},                         // statistics,
                                {3, 1, 0, kFeatures},                 // updates of the weights
                                {4, 1, kFeatures, 1},                 // and beside them that of the bias,
                                {5, 2, 0, 1},                         // and what it does to its arguments
                                {7, 2, 0, kBatch},    {9, 1, 0, 1},   // evaluate
                                {10, 1, 0, 1},                        // prepare
                                {11, 1, 0, 1},        {12, 1, 0, 1},  // predict_1
                                {11, 1, 0, 4},        {12, 1, 0, 1}}; // predict_4

constexpr ResinRegion kRegions[] = {{0, 1, kBatch, 0}, {1, 1, 1, 0},      {2, 2, kFeatures + 1, 1},
                                    {4, 1, 1, 0},      {5, 1, kBatch, 0}, {6, 1, 1, 0},
                                    {7, 1, 1, 0},      {8, 1, 1, 0},      {9, 1, 1, 0},
                                    {10, 1, 4, 0},     {11, 1, 1, 0}};

const ResinFunction kFunctions[] = {
    {"train_step", 0, 4}, {"evaluate", 4, 2}, {"prepare", 6, 1}, {"predict_1", 7, 2}, {"predict_4", 9, 2}};

std::string tensor(const char *name, const char *type, const std::string &shape, const char *layout, int64_t halo,
                   int64_t offset) {
  char text[256];
  std::snprintf(text, sizeof text,
                R"("name": "%s", "type": "%s", "shape": [%s], "layout": "%s", "halo": %lld, "offset": %lld)", name,
                type, shape.c_str(), layout, static_cast<long long>(halo), static_cast<long long>(4 * offset));
  return text;
}

std::string variable(const char *name, const char *role, const std::string &shape, const char *layout, int64_t offset,
                     const char *init, const std::string &more = "") {
  return "{" + tensor(name, "f32", shape, layout, 0, offset) + ", \"role\": \"" + role + "\", \"init\": " + init +
         more + "}";
}

std::string function(const std::string &name, int64_t batch) {
  const std::string n = std::to_string(batch);
  std::string text = R"({"name": ")" + name + R"(", "batch": )" + n + R"(, "arguments": [{)" +
                     tensor("image", "f32", n + ", 3, 32, 32", "dense", kHalo, kImages) + "}";
  if (name.starts_with("predict"))
    return text + R"(], "results": [{)" + tensor("logits", "f32", n + ", 10", "c16", 0, kLogits) + "}]}";
  text += ", {" + tensor("label", "i32", n, "dense", 0, kLabels) + "}";
  if (name == "train_step")
    text += ", {" + tensor("learning_rate", "f32", "", "dense", 0, kScalars) + "}, {" +
            tensor("step", "f32", "", "dense", 0, kScalars + 1) + "}, {" +
            tensor("seed", "i32", "2", "dense", 0, kScalars + 2) + "}";
  return text + R"(], "results": [{)" + tensor("loss", "f32", n, "dense", 0, kLoss) + "}, {" +
         tensor("rank", "i32", n, "dense", 0, kRank) + "}]}";
}

std::string makeManifest() {
  std::string text = R"({"model": "double", "source": "double.resin", "hash": "0123456789abcdef",
    "build": "b)" + std::to_string(kBatch) + R"(",
    "target": {"name": "x86-64", "features": ["sse2"]},
    "arena_bytes": )" +
                     std::to_string(4 * kArena) + R"(, "scratch_bytes": )" + std::to_string(kScratch) + R"(,
    "batch": )" + std::to_string(kBatch) + R"(, "classes": 10, "image": [3, 32, 32], "flops_per_image": 61440,
    "task": {"name": "classification", "loss": "loss", "inputs": [{"name": "image", "kind": "image"}],
      "targets": [{"name": "label", "kind": "class"}], "outputs": [{"name": "logits", "kind": "scores"}],
      "metrics": [{"name": "rank", "kind": "top-k"}]},
    "recipe": {"data": "cifar10", "epochs": 2, "seed": 0, "batch": 16,
      "augment": [{"name": "pad_crop", "pad": 4}, {"name": "flip"}], "normalize": "dataset",
      "loss": {"name": "cross_entropy", "label_smoothing": 0.0},
      "optimizer": {"name": "sgd", "momentum": 0.9, "nesterov": false, "weight_decay": 0.0},
      "lr": {"name": "cosine", "peak": 0.01, "warmup": 0, "final": 0.0}},
    "variables": [)";
  text += variable("fc.weight", "parameter", "10, 3072", "k16", kWeight, R"({"name": "linear_uniform", "fan": 3072})") +
          ",";
  text += variable("fc.bias", "parameter", "10", "c16", kBias, R"({"name": "linear_uniform", "fan": 3072})") + ",";
  text += variable("bn.running_mean", "statistic", "1", "c16", kSeen, R"({"name": "constant", "value": 0.0})") + ",";
  text += variable("optimizer.momentum.fc.weight", "slot", "10, 3072", "k16", kWeightSlot,
                   R"({"name": "constant", "value": 0.0})", R"(, "parameter": "fc.weight")") +
          ",";
  text += variable("optimizer.momentum.fc.bias", "slot", "10", "c16", kBiasSlot,
                   R"({"name": "constant", "value": 0.0})", R"(, "parameter": "fc.bias")") +
          ",";
  text += variable("prepared.0", "prepared", "10, 3072", "k16", kReady, R"({"name": "constant", "value": 0.0})");
  text += R"(], "functions": [)" + function("train_step", kBatch) + "," + function("evaluate", kBatch) +
          R"(, {"name": "prepare", "arguments": [], "results": []}, )" + function("predict_1", 1) + "," +
          function("predict_4", 4);
  text += R"(], "kernels": [
    {"name": "linear", "function": "train_step", "source": "double.resin:1:1", "layer": "fc", "flops": 61440,
     "bytes": 1, "calls": 16, "form": "winograd 4x4", "form_flops": 15360},
    {"name": "update", "function": "train_step", "source": "double.resin:1:1", "layer": "fc", "flops": 320,
     "bytes": 1, "calls": 3072}]})";
  return text;
}

} // namespace

const std::string &programDoubleManifest() {
  static const std::string manifest = makeManifest();
  return manifest;
}

ResinProgram programDoubleWith(const std::string &manifest) {
  return {RESIN_ABI_VERSION, 2,        5,      0,         manifest.data(), manifest.size(),
          kFunctions,        kRegions, kLoops, kLaunches, nullptr,         kKernels};
}

extern "C" const ResinProgram resin_program = programDoubleWith(programDoubleManifest());
