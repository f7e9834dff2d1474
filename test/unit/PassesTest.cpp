//===- PassesTest.cpp - No pass changes what a network computes -----------===//
//
// Small networks of every kind go through the passes one by one. After each pass
// the interpreter runs two training steps, an evaluation and predictions in f64:
// results and variables are those of before. Gradients are checked against central
// differences of the loss.
//
//===----------------------------------------------------------------------===//

#include "NetText.h"

#include "dialects/Resnet/Fusion.h"
#include "dialects/Resnet/Interpreter.h"
#include "passes/Passes.h"
#include "support/Philox.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace mlir;
using namespace resin;
using namespace resin::resnet;
using namespace resin::test;

namespace {

constexpr int64_t kBatch = 4, kClasses = 5;

//===----------------------------------------------------------------------===//
// The networks
//===----------------------------------------------------------------------===//

std::string head(NetText &net, const std::string &x) {
  return net.finish(net.linear(net.globalAvgPool(x), "fc", kClasses));
}

std::string convNormRelu(NetText &net, const std::string &x, const std::string &name, int64_t k, int64_t kernel,
                         int64_t stride = 1) {
  return net.relu(net.batchNorm(net.conv(x, name, k, kernel, {.stride = stride}), name + ".bn"));
}

/// Basic blocks, the second with a projection; as in ResNet-18.
std::string basicBlocks() {
  NetText net(kBatch, {3, 8, 8});
  std::string x = convNormRelu(net, "image", "conv1", 4, 3);
  std::string y = convNormRelu(net, x, "a.conv1", 4, 3);
  x = net.relu(net.add(net.batchNorm(net.conv(y, "a.conv2", 4, 3), "a.bn2"), x));
  y = net.batchNorm(net.conv(convNormRelu(net, x, "b.conv1", 16, 3, 2), "b.conv2", 16, 3), "b.bn2");
  std::string shortcut = net.batchNorm(net.conv(x, "b.down", 16, 1, {.stride = 2}), "b.downbn");
  return head(net, net.relu(net.add(y, shortcut)));
}

/// Activation functions behind a norm, behind a join and behind a convolution: gradients of silu read what it reads.
std::string smooth() {
  NetText net(kBatch, {3, 8, 8});
  std::string x = net.map("silu", net.batchNorm(net.conv("image", "conv1", 16, 3), "conv1.bn"));
  std::string y = net.map("leaky_relu", net.batchNorm(net.conv(x, "a.conv1", 16, 3), "a.bn1"), "slope 0.25");
  x = net.map("silu", net.add(net.batchNorm(net.conv(y, "a.conv2", 16, 3), "a.bn2"), x));
  return head(net, net.map("silu", net.conv(x, "conv2", 16, 3, {.stride = 2, .bias = true})));
}

/// The parameter-free shortcut of CIFAR's residual networks.
std::string optionA() {
  NetText net(kBatch, {3, 8, 8});
  net.optimizer = R"({name = "sgd", momentum = 0.0 : f64, nesterov = false, weight_decay = 0.0 : f64})";
  std::string x = convNormRelu(net, "image", "conv1", 16, 3);
  std::string y = net.batchNorm(net.conv(convNormRelu(net, x, "a.conv1", 32, 3, 2), "a.conv2", 32, 3), "a.bn2");
  return head(net, net.relu(net.add(y, net.padChannels(net.subsample(x, 2), 32))));
}

std::string bottleneck() {
  NetText net(kBatch, {3, 6, 6});
  net.optimizer =
      R"({name = "adamw", beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-8 : f64, weight_decay = 0.01 : f64})";
  std::string x = convNormRelu(net, "image", "conv1", 8, 3);
  std::string y = convNormRelu(net, convNormRelu(net, x, "a.conv1", 4, 1), "a.conv2", 4, 3, 2);
  y = net.batchNorm(net.conv(y, "a.conv3", 16, 1), "a.bn3");
  x = net.relu(net.add(y, net.batchNorm(net.conv(x, "a.down", 16, 1, {.stride = 2}), "a.downbn")));
  y = convNormRelu(net, convNormRelu(net, x, "b.conv1", 4, 1), "b.conv2", 4, 3);
  return head(net, net.relu(net.add(net.batchNorm(net.conv(y, "b.conv3", 16, 1), "b.bn3"), x)));
}

/// A stem of ImageNet's kind, a grouped convolution, and dropout before the last layer.
std::string stemPoolDropout() {
  NetText net(kBatch, {3, 15, 15});
  net.optimizer =
      R"({name = "rmsprop", alpha = 0.99 : f64, epsilon = 1.0e-8 : f64, momentum = 0.9 : f64, )"
      "weight_decay = 0.0 : f64}";
  std::string x = net.pool("max_pool", convNormRelu(net, "image", "conv1", 8, 7, 2), 3, 2, 1);
  x = net.relu(net.batchNorm(net.conv(x, "conv2", 16, 3, {.groups = 2}), "bn2"));
  x = net.flatten(net.pool("avg_pool", x, 2, 1, 1));
  return net.finish(net.linear(net.dropout(x, 0.25, 0), "fc", kClasses));
}

/// A wide residual block: dropout between its convolutions, and one on a convolution's own result, on maps that are
/// cut.
std::string wideDropout() {
  NetText net(kBatch, {3, 16, 16});
  std::string x = convNormRelu(net, "image", "conv1", 16, 3);
  std::string y = net.conv(net.dropout(convNormRelu(net, x, "a.conv1", 16, 3), 0.3, 0), "a.conv2", 16, 3);
  x = net.relu(net.batchNorm(net.add(net.dropout(y, 0.1, 1), x), "bn"));
  return net.finish(net.linear(net.dropout(net.globalAvgPool(x), 0.25, 2), "fc", kClasses));
}

/// Biases, asymmetric padding, a projection of the image, and a softmax at the end.
std::string kerasLike() {
  NetText net(kBatch, {3, 8, 8});
  net.optimizer =
      R"({name = "adam", beta1 = 0.9 : f64, beta2 = 0.999 : f64, epsilon = 1.0e-7 : f64, weight_decay = 0.0 : f64})";
  net.labelSmoothing = 0;
  std::string x = net.relu(net.conv("image", "conv1", 16, 3, {.bias = true}));
  x = net.relu(net.batchNorm(net.conv(x, "conv2", 16, 3, {.stride = 2, .padding = {0, 0, 1, 1}, .bias = true}), "bn2"));
  x = net.add(x, net.conv("image", "project", 16, 1, {.stride = 2, .bias = true}));
  return net.finish(net.softmax(net.linear(net.globalAvgPool(x), "fc", kClasses)));
}

/// Batch norm before the convolution: nothing to fold into, and the image is normalised.
std::string preActivation() {
  NetText net(kBatch, {16, 6, 6});
  std::string x = net.conv(net.relu(net.batchNorm("image", "bn0")), "conv1", 16, 3);
  return head(net, net.add(x, net.conv(net.relu(net.batchNorm(x, "bn1")), "conv2", 16, 3)));
}

/// Maps of 256 KiB, so that every image is a piece.
std::string largeMaps() {
  NetText net(kBatch, {3, 64, 64});
  std::string x = convNormRelu(net, "image", "conv1", 16, 3);
  return head(net, net.relu(net.add(net.batchNorm(net.conv(x, "conv2", 16, 1), "bn2"), x)));
}

/// A 3x3 convolution of whole blocks of channels: in @predict_1 its filter is transformed beforehand.
std::string wholeBlocks() {
  NetText net(kBatch, {3, 10, 7});
  std::string x = convNormRelu(net, "image", "conv1", 16, 3);
  return head(net, net.relu(net.add(net.batchNorm(net.conv(x, "conv2", 16, 3), "bn2"), x)));
}

/// Convolutions that keep the height with all of their padding above, or all of it below: bands of rows would overlap
/// on one side only.
std::string paddingOnOneSide() {
  NetText net(kBatch, {3, 16, 16});
  std::string x = net.relu(net.conv("image", "above", 16, 3, {.padding = {2, 1, 0, 1}}));
  x = net.relu(net.conv(x, "below", 16, 3, {.padding = {0, 1, 2, 1}}));
  return head(net, net.relu(net.conv(x, "more", 16, 5, {.padding = {3, 2, 1, 2}})));
}

/// A filter of more than 2 MiB, whose gradient is cut by its output channels.
std::string largeFilter() {
  NetText net(kBatch, {3, 4, 4});
  return head(net, convNormRelu(net, convNormRelu(net, "image", "conv1", 128, 3, 2), "conv2", 512, 3));
}

//===----------------------------------------------------------------------===//
// Running them
//===----------------------------------------------------------------------===//

struct Outcome {
  std::vector<Tensor> results;
  Store store;
};

struct Net {
  const char *name;
  std::string (*write)();
  friend void PrintTo(const Net &net, std::ostream *out) { *out << net.name; }
};

class PassesTest : public testing::TestWithParam<Net> {
protected:
  void SetUp() override {
    context.loadDialect<ResnetDialect, func::FuncDialect>();
    module = parseSourceString<ModuleOp>(GetParam().write(), &context);
    ASSERT_TRUE(module);
    SpecializeOptions options;
    options.predictBatch = {1, 2};
    ASSERT_TRUE(apply(createSpecialize(options)));
    ASSERT_TRUE(succeeded(initialise(*module, 1, initial)));
    // Statistics and affine parameters that are no identity.
    for (auto variable : module->getOps<VariableOp>())
      if (auto &tensor = initial[variable.getSymName().str()]; tensor.shape.size() == 1)
        for (int64_t i = 0; i < tensor.size(); ++i)
          tensor.data[i] += uniform(variable.getSymName(), i) * 0.5;
  }

  bool apply(std::unique_ptr<Pass> pass) {
    PassManager manager(&context);
    manager.addPass(std::move(pass));
    return succeeded(manager.run(*module));
  }

  static double uniform(StringRef name, int64_t i) { return philox::uniform(7, philox::hashName(name.str()), i); }

  std::vector<Tensor> arguments(StringRef name, int step) {
    std::vector<Tensor> values;
    auto function = module->lookupSymbol<func::FuncOp>(name);
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      Tensor value(cast<RankedTensorType>(function.getArgumentTypes()[i]).getShape());
      StringRef argument = function.getArgAttrOfType<StringAttr>(i, "resnet.name").getValue();
      for (int64_t j = 0; j < value.size(); ++j) {
        double unit = uniform(argument, j + 10000 * step);
        value.data[j] = argument == "image"           ? 2 * unit - 1
                        : argument == "label"         ? std::floor(unit * kClasses)
                        : argument == "learning_rate" ? 0.05
                                                      : step;
      }
      values.push_back(value);
    }
    return values;
  }

  Outcome run(StringRef name, int steps, Store store) {
    Interpreter interpreter(*module, Precision::F64);
    Outcome all;
    for (int step = 1; step <= steps; ++step) {
      auto results = interpreter.run(name, arguments(name, step), store);
      EXPECT_TRUE(succeeded(results)) << name.str();
      if (succeeded(results))
        all.results.insert(all.results.end(), results->begin(), results->end());
    }
    all.store = store;
    return all;
  }

  /// Slots and prepared variables, which came with passes, start from zero.
  Store initialStore() {
    Store store = initial;
    for (auto variable : module->getOps<VariableOp>())
      store.try_emplace(variable.getSymName().str(), Tensor(cast<RankedTensorType>(variable.getType()).getShape()));
    return store;
  }

  /// What the inference functions return, after @prepare where there is one.
  std::vector<Tensor> infer() {
    Store store = initialStore();
    if (module->lookupSymbol("prepare"))
      store = run("prepare", 1, store).store;
    std::vector<Tensor> all;
    for (StringRef name : {"evaluate", "predict_1", "predict_2"})
      for (const Tensor &result : run(name, 1, store).results)
        all.push_back(result);
    return all;
  }

  static void expectNear(const Tensor &expected, const Tensor &actual, const std::string &what) {
    ASSERT_EQ(expected.shape, actual.shape) << what;
    double largest = 1e-3;
    for (double value : expected.data)
      largest = std::max(largest, std::abs(value));
    for (int64_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(expected.data[i], actual.data[i], 1e-9 * largest) << what << " element " << i;
  }

  static void expectNear(const Outcome &expected, const Outcome &actual, const std::string &what) {
    ASSERT_EQ(expected.results.size(), actual.results.size()) << what;
    for (size_t i = 0; i < expected.results.size(); ++i)
      expectNear(expected.results[i], actual.results[i], what + " result " + std::to_string(i));
    for (const auto &[name, value] : expected.store)
      expectNear(value, actual.store.at(name), what + " variable " + name);
  }

  double meanLoss(const Store &store) {
    Outcome outcome = run("train_step", 1, store);
    double sum = 0;
    for (double loss : outcome.results[0].data)
      sum += loss;
    return sum / kBatch;
  }

  /// The central difference of the mean loss, with the step whose result is nearest to `expected`: across a kink of
  /// relu or max_pool a difference says nothing, and a smaller step crosses fewer.
  double difference(const std::string &name, int64_t element, double expected) {
    double best = std::numeric_limits<double>::infinity();
    for (double step : {1e-5, 1e-6, 1e-7}) {
      Store above = initial, below = initial;
      above.at(name).data[element] += step;
      below.at(name).data[element] -= step;
      double value = (meanLoss(above) - meanLoss(below)) / (2 * step);
      if (std::abs(value - expected) < std::abs(best - expected))
        best = value;
      if (std::abs(best - expected) < 1e-8)
        break;
    }
    return best;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  Store initial;
};

/// On the nets that are small enough to be run a few hundred times.
class GradientTest : public PassesTest {};

using MakePass = std::unique_ptr<Pass> (*)();
/// What follows the optimizer, in order.
const std::pair<const char *, MakePass> kPasses[] = {{"fold-batch-norm", createFoldBatchNorm},
                                                     {"transform-filters", createTransformFilters},
                                                     {"hoist-prepare", createHoistPrepare},
                                                     {"decompose-batch-norm", createDecomposeBatchNorm},
                                                     {"rebuild-activations", createRebuildActivations},
                                                     {"assign-layouts", createAssignLayouts},
                                                     {"fuse", createFuse}};

TEST_P(PassesTest, InferenceStaysTheSame) {
  std::vector<Tensor> expected = infer();
  ASSERT_TRUE(apply(createDifferentiate()) && apply(createAppendOptimizer()));
  for (auto [name, make] : kPasses) {
    ASSERT_TRUE(apply(make())) << name;
    std::vector<Tensor> actual = infer();
    ASSERT_EQ(expected.size(), actual.size());
    for (size_t i = 0; i < expected.size(); ++i)
      expectNear(expected[i], actual[i], std::string(name) + " result " + std::to_string(i));
  }
}

TEST_P(PassesTest, TrainingStaysTheSame) {
  ASSERT_TRUE(apply(createDifferentiate()) && apply(createAppendOptimizer()));
  Outcome expected = run("train_step", 2, initialStore());
  for (auto [name, make] : kPasses) {
    ASSERT_TRUE(apply(make())) << name;
    expectNear(expected, run("train_step", 2, initialStore()), name);
  }
}

TEST_P(PassesTest, FusionKnobsChangeNothingThatIsComputed) {
  ASSERT_TRUE(apply(createDifferentiate()) && apply(createAppendOptimizer()));
  Outcome expected = run("train_step", 2, initialStore());
  std::vector<Tensor> logits = infer();
  ASSERT_TRUE(apply(createFoldBatchNorm()) && apply(createTransformFilters()) && apply(createHoistPrepare()));
  OwningOpRef<ModuleOp> hoisted(module->clone());
  std::vector<FusionKnobs> candidates = neighboursOf(usualFusion(Machine()));
  candidates.push_back({.epilogues = 0, .rebuild = 0, .pieceKib = 128, .mostPieces = 2});
  for (const FusionKnobs &knobs : candidates) {
    module = OwningOpRef<ModuleOp>(hoisted->clone());
    for (auto function : module->getOps<func::FuncOp>())
      setFusionKnobs(function, knobs);
    ASSERT_TRUE(apply(createDecomposeBatchNorm()) && apply(createRebuildActivations()) &&
                apply(createAssignLayouts()) && apply(createFuse()));
    expectNear(expected, run("train_step", 2, initialStore()), print(knobs));
    std::vector<Tensor> actual = infer();
    ASSERT_EQ(logits.size(), actual.size());
    for (size_t i = 0; i < logits.size(); ++i)
      expectNear(logits[i], actual[i], print(knobs) + " result " + std::to_string(i));
  }
}

TEST_P(GradientTest, MeetsCentralDifferences) {
  ASSERT_TRUE(apply(createDifferentiate()));
  std::vector<Tensor> results = run("train_step", 1, initial).results;
  auto function = module->lookupSymbol<func::FuncOp>("train_step");
  size_t parameters = 0;
  for (unsigned i = 2; i < function.getNumResults(); ++i, ++parameters) {
    std::string name =
        function.getResultAttrOfType<StringAttr>(i, "resnet.name").getValue().drop_front(strlen("gradient.")).str();
    const Tensor &gradient = results[i];
    double largest = 1e-2;
    for (double value : gradient.data)
      largest = std::max(largest, std::abs(value));
    for (int64_t j = 0; j < gradient.size(); j += std::max<int64_t>(1, gradient.size() / 5))
      EXPECT_NEAR(gradient.data[j], difference(name, j, gradient.data[j]), 1e-6 * largest) << name << " element " << j;
  }
  size_t expected =
      llvm::count_if(module->getOps<VariableOp>(), [](VariableOp v) { return v.getRole() == "parameter"; });
  EXPECT_EQ(parameters, expected) << "every parameter has a gradient";
}

TEST_P(PassesTest, EveryGateHolds) {
  ASSERT_TRUE(apply(createDifferentiate()) && apply(createAppendOptimizer()) && apply(createFoldBatchNorm()) &&
              apply(createHoistPrepare()));
  EXPECT_TRUE(apply(createVerifyPhase({"train"})));
  ASSERT_TRUE(apply(createDecomposeBatchNorm()) && apply(createAssignLayouts()));
  EXPECT_TRUE(apply(createVerifyPhase({"layout"})));
  ASSERT_TRUE(apply(createFuse()));
  EXPECT_TRUE(apply(createVerifyPhase({"fused"})));
}

constexpr Net kSmallNets[] = {{"basic_blocks", basicBlocks}, {"option_a", optionA},
                              {"bottleneck", bottleneck},    {"stem_pool_dropout", stemPoolDropout},
                              {"keras_like", kerasLike},     {"pre_activation", preActivation},
                              {"wide_dropout", wideDropout}, {"smooth", smooth}};
constexpr Net kLargeNets[] = {{"large_maps", largeMaps},
                              {"whole_blocks", wholeBlocks},
                              {"large_filter", largeFilter},
                              {"padding_on_one_side", paddingOnOneSide}};

std::string nameOf(const testing::TestParamInfo<Net> &info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Small, PassesTest, testing::ValuesIn(kSmallNets), nameOf);
INSTANTIATE_TEST_SUITE_P(Large, PassesTest, testing::ValuesIn(kLargeNets), nameOf);
INSTANTIATE_TEST_SUITE_P(Small, GradientTest, testing::ValuesIn(kSmallNets), nameOf);

} // namespace
