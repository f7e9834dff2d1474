//===- FrontendSemaTest.cpp - What a text means ---------------------------===//

#include "FrontendText.h"
#include "support/RecipeSchema.h"

#include <gtest/gtest.h>

using namespace resin::frontend;
namespace recipe = resin::recipe;

namespace {

Network analyzeRight(llvm::StringRef text) {
  Analysis analysis = analyzeText(text);
  EXPECT_EQ(analysis.messages, "");
  EXPECT_TRUE(analysis.network) << text.str();
  return analysis.network.value_or(Network());
}

/// The paths of the layers that `body` makes.
std::vector<std::string> getPaths(llvm::StringRef body, llvm::StringRef blocks = "") {
  Network network = analyzeRight((blocks + inModel(body)).str());
  std::vector<std::string> paths;
  for (const Layer &layer : llvm::ArrayRef(network.layers).drop_back(2)) // global_avg_pool and linear
    paths.push_back(layer.path);
  return paths;
}

/// The one layer of `x = x |> stage`.
Layer getLayer(llvm::StringRef stage) {
  Network network = analyzeRight(inModel(("  x = x |> " + stage).str()));
  return network.layers.empty() ? Layer() : network.layers.front();
}

using Paths = std::vector<std::string>;

//===----------------------------------------------------------------------===//
// Paths
//===----------------------------------------------------------------------===//

TEST(Paths, labelIsTheComponent) { EXPECT_EQ(getPaths("  x = x |> conv1: conv(8, kernel = 3)"), Paths{"conv1"}); }

TEST(Paths, labelBeforeACallWithItsInput) { EXPECT_EQ(getPaths("  x = first: relu(x)"), Paths{"first"}); }

TEST(Paths, withoutLabelKindAndCount) {
  EXPECT_EQ(getPaths("  x = relu(x |> conv(8, kernel = 3) |> relu |> conv(8, kernel = 3))"),
            (Paths{"conv1", "relu1", "conv2", "relu2"}));
}

TEST(Paths, addIsCountedToo) { EXPECT_EQ(getPaths("  x = x + x\n  x = add(x, x)"), (Paths{"add1", "add2"})); }

TEST(Paths, labelledRepeatAddsLabelAndIndex) {
  EXPECT_EQ(getPaths("  layer1: repeat 2 { x = x |> a: relu |> relu }"),
            (Paths{"layer1.0.a", "layer1.0.relu1", "layer1.1.a", "layer1.1.relu1"}));
}

TEST(Paths, repeatWithoutLabelAddsNothing) {
  EXPECT_EQ(getPaths("  repeat 2 { x = x |> relu }"), (Paths{"relu1", "relu2"}));
}

TEST(Paths, repeatsNest) {
  EXPECT_EQ(getPaths("  a: repeat 1 { b: repeat 2 { x = c: relu(x) } }"), (Paths{"a.0.b.0.c", "a.0.b.1.c"}));
}

TEST(Paths, stageOfALabelledGroupIsItsPosition) {
  EXPECT_EQ(getPaths("  x = x |> down: { conv(8, kernel = 1) |> relu |> bn: batch_norm |> relu }"),
            (Paths{"down.0", "down.1", "down.bn", "down.3"}));
}

TEST(Paths, groupWithoutLabelAddsNothing) {
  EXPECT_EQ(getPaths("  x = x |> { relu |> a: relu }"), (Paths{"relu1", "a"}));
}

TEST(Paths, groupsNest) {
  EXPECT_EQ(getPaths("  x = x |> a: { relu |> b: { relu } |> { relu } }"), (Paths{"a.0", "a.b.0", "a.relu1"}));
}

TEST(Paths, layerInAnArgumentIsNoStage) {
  EXPECT_EQ(getPaths("  x = x |> g: { add(x |> relu) }"), (Paths{"g.relu1", "g.0"}));
}

TEST(Paths, labelledBlockCallAddsItsLabel) {
  EXPECT_EQ(getPaths("  x = x |> one: b |> two: b", "block b(x) { return x |> a: relu |> relu }\n"),
            (Paths{"one.a", "one.relu1", "two.a", "two.relu1"}));
}

TEST(Paths, blockCallWithoutLabelAddsNothing) {
  EXPECT_EQ(getPaths("  x = b(x)\n  x = relu(x)", "block b(x) { return x |> a: relu |> relu }\n"),
            (Paths{"a", "relu1", "relu2"}));
}

TEST(Paths, blockCallInALabelledGroupAddsNothing) {
  EXPECT_EQ(getPaths("  x = x |> g: { b |> relu }", "block b(x) { return x |> a: relu |> relu }\n"),
            (Paths{"g.a", "g.relu1", "g.1"}));
}

TEST(Paths, labelsEndWithTheirStage) { EXPECT_EQ(getPaths("  x = x |> g: { relu } |> relu"), (Paths{"g.0", "relu1"})); }

//===----------------------------------------------------------------------===//
// Statements and values
//===----------------------------------------------------------------------===//

int64_t getChannels(llvm::StringRef body) { return analyzeRight(inModel(body)).layers.front().result[0]; }

TEST(Values, arithmetic) {
  EXPECT_EQ(getChannels("  x = x |> conv((2 + 3 * 4 - 1) / 2 % 4, kernel = 1)"), 2);
  EXPECT_EQ(getChannels("  x = x |> conv(-7 / 2 + 8, kernel = 1)"), 5);
  EXPECT_EQ(getChannels("  x = x |> conv(channels(x) * height(x) - width(x), kernel = 1)"), 64);
}

TEST(Values, conditions) {
  EXPECT_EQ(getChannels("  x = x |> conv(if 1 < 2 and not (3 <= 2) then 4 else 5, kernel = 1)"), 4);
  EXPECT_EQ(getChannels("  x = x |> conv(if 1 == 1.0 and shape(x) != [3, 32] then 4 else 5, kernel = 1)"), 4);
  EXPECT_EQ(getChannels("  x = x |> conv(if same == valid or false then 4 else 5, kernel = 1)"), 5);
}

TEST(Values, onlyTheChosenBranchIsEvaluated) {
  EXPECT_EQ(getChannels("  x = x |> conv(if true then 4 else 1 / 0, kernel = 1)"), 4);
  EXPECT_EQ(getChannels("  if false and 1 / 0 == 1 { n = 1 } else if true { n = 2 } else { n = 1 / 0 }\n"
                        "  x = x |> conv(n, kernel = 1)"),
            2);
}

TEST(Values, indexCountsFromZeroAndBindingsStay) {
  EXPECT_EQ(getChannels("  n = 0\n  repeat 4 as i { n = n + i }\n  x = x |> conv(n, kernel = 1)"), 6);
}

TEST(Values, earlyReturn) {
  Network network = analyzeRight("block b(x) { repeat 3 as i { x = relu(x) if i == 1 { return x } } return x }\n" +
                                 inModel("  x = b(x)"));
  EXPECT_EQ(network.layers.size(), 4u);
}

TEST(Values, defaultsSeeParametersBefore) {
  EXPECT_EQ(getPaths("  x = b(x)", "block b(x, n = 2, m = n * 2) { repeat m { x = relu(x) } return x }\n").size(), 4u);
}

TEST(Values, aModelIsChosenByName) {
  std::string text = inModel("") + "model n(image: [3, 8, 8]) -> [5] { return image |> flatten |> linear(5) }\n";
  EXPECT_EQ(analyzeText(text, "n").network->getClasses(), 5);
  EXPECT_NE(analyzeText(text, "o").messages.find("the file has no model 'o'"), std::string::npos);
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

struct WindowCase {
  const char *stage;
  Shape result;
  std::array<int64_t, 4> padding;
};

TEST(Layers, windows) {
  const WindowCase cases[] = {
      {"conv(8, kernel = 3)", {8, 32, 32}, {1, 1, 1, 1}},
      {"conv(8, kernel = 1)", {8, 32, 32}, {0, 0, 0, 0}},
      {"conv(8, kernel = 7, stride = 2)", {8, 16, 16}, {3, 3, 3, 3}},
      {"conv(8, kernel = 3, dilation = 2)", {8, 32, 32}, {2, 2, 2, 2}},
      {"conv(8, kernel = 2, dilation = 2, pad = same)", {8, 32, 32}, {1, 1, 1, 1}},
      {"conv(8, kernel = [3, 5], stride = [1, 2])", {8, 32, 16}, {1, 2, 1, 2}},
      {"conv(8, kernel = 3, pad = valid)", {8, 30, 30}, {0, 0, 0, 0}},
      {"conv(8, kernel = 3, pad = 2)", {8, 34, 34}, {2, 2, 2, 2}},
      {"conv(8, kernel = 3, pad = [0, 1])", {8, 30, 32}, {0, 1, 0, 1}},
      {"conv(8, kernel = 4, pad = [1, 2, 3, 4])", {8, 33, 35}, {1, 2, 3, 4}},
      {"conv(8, kernel = 3, stride = 2, pad = keras_same)", {8, 16, 16}, {0, 0, 1, 1}}, // 15*2 + 3 - 32 = 1
      {"conv(8, kernel = 7, stride = 2, pad = keras_same)", {8, 16, 16}, {2, 2, 3, 3}}, // 15*2 + 7 - 32 = 5
      {"conv(8, kernel = 4, pad = keras_same)", {8, 32, 32}, {1, 1, 2, 2}},
      {"conv(8, kernel = 1, stride = 2, pad = keras_same)", {8, 16, 16}, {0, 0, 0, 0}},
      {"max_pool(2)", {3, 16, 16}, {0, 0, 0, 0}},
      {"max_pool(3, stride = 2, pad = 1)", {3, 16, 16}, {1, 1, 1, 1}},
      {"max_pool(3, stride = 2, pad = same)", {3, 16, 16}, {1, 1, 1, 1}},
      {"max_pool(3, stride = 2, pad = keras_same)", {3, 16, 16}, {0, 0, 1, 1}},
      {"avg_pool(4, stride = 1, pad = valid)", {3, 29, 29}, {0, 0, 0, 0}},
      {"avg_pool([2, 4])", {3, 16, 8}, {0, 0, 0, 0}},
  };
  for (const WindowCase &each : cases) {
    Layer layer = getLayer(each.stage);
    EXPECT_EQ(print(layer.result), print(each.result)) << each.stage;
    EXPECT_EQ(layer.window.padding, each.padding) << each.stage;
  }
}

TEST(Layers, shapes) {
  EXPECT_EQ(print(getLayer("subsample(2)").result), "[3, 16, 16]");
  EXPECT_EQ(print(getLayer("subsample(3)").result), "[3, 11, 11]");
  EXPECT_EQ(print(getLayer("pad_channels(5)").result), "[5, 32, 32]");
  Network flat = analyzeRight("model m(image: [3, 4, 5]) -> [7] { return image |> flatten |> linear(7) |> softmax }");
  EXPECT_EQ(print(flat.layers[0].result), "[60]");
  EXPECT_EQ(print(flat.layers[1].variables[0].shape), "[7, 60]");
}

TEST(Layers, avgPoolCountsPaddingAsPyTorchOrKeras) {
  EXPECT_TRUE(getLayer("avg_pool(3, pad = 1)").countPadding);
  EXPECT_FALSE(getLayer("avg_pool(3, pad = keras_same)").countPadding);
  EXPECT_FALSE(getLayer("avg_pool(3, pad = 1, count_include_pad = false)").countPadding);
  EXPECT_TRUE(getLayer("avg_pool(3, pad = keras_same, count_include_pad = true)").countPadding);
}

std::string describeVariables(const Layer &layer) {
  std::string text;
  for (const Variable &variable : layer.variables) {
    text += variable.suffix + print(variable.shape) + " " + variable.init.getName().str();
    for (const Value::Field &field : variable.init.getFields())
      text += " " + field.key + "=" + field.value.describe();
    text += variable.isParameter ? "; " : " (statistic); ";
  }
  return text;
}

TEST(Layers, variables) {
  EXPECT_EQ(describeVariables(getLayer("conv(8, kernel = 3)")), "weight[8, 3, 3, 3] he_normal fan=72; ");
  EXPECT_EQ(describeVariables(getLayer("conv(6, kernel = [1, 5], groups = 3, bias = true)")),
            "weight[6, 1, 1, 5] he_normal fan=30; bias[6] constant value=0; ");
  EXPECT_EQ(describeVariables(getLayer("conv(8, kernel = 3, bias = true, init = glorot_uniform)")),
            "weight[8, 3, 3, 3] glorot_uniform fan_in=27 fan_out=72; bias[8] constant value=0; ");
  EXPECT_EQ(describeVariables(getLayer("conv(8, kernel = 3, bias = true, init = linear_uniform)")),
            "weight[8, 3, 3, 3] linear_uniform fan=27; bias[8] linear_uniform fan=27; ");
  EXPECT_EQ(describeVariables(getLayer("conv(8, kernel = 1, init = zeros)")), "weight[8, 3, 1, 1] constant value=0; ");
  EXPECT_EQ(describeVariables(getLayer("batch_norm")),
            "weight[3] constant value=1; bias[3] constant value=0; running_mean[3] constant value=0 (statistic); "
            "running_var[3] constant value=1 (statistic); ");
  EXPECT_EQ(describeVariables(analyzeRight(inModel("")).layers.back()),
            "weight[10, 3] linear_uniform fan=3; bias[10] linear_uniform fan=3; ");
}

TEST(Layers, flops) {
  EXPECT_EQ(getLayer("conv(8, kernel = 3)").flops, 2u * 8 * 3 * 9 * 32 * 32);
  EXPECT_EQ(getLayer("conv(6, kernel = 3, groups = 3)").flops, 2u * 6 * 1 * 9 * 32 * 32);
  EXPECT_EQ(analyzeRight(inModel("")).layers.back().flops, 2u * 3 * 10);
}

//===----------------------------------------------------------------------===//
// Strides from `like`
//===----------------------------------------------------------------------===//

/// The strides of the second layer, a convolution as large as the first's result.
std::array<int64_t, 2> getStridesLike(llvm::StringRef image, llvm::StringRef first, llvm::StringRef arguments) {
  Network network =
      analyzeRight(("model m(image: " + image + ") -> [10] {\n  y = image |> " + first + "\n  x = image |> conv(8, " +
                    arguments + ", like = y)\n" + "  return x + y |> global_avg_pool |> linear(10)\n}\n")
                       .str());
  return network.layers.size() < 2 ? std::array<int64_t, 2>{} : network.layers[1].window.strides;
}

TEST(Like, isTheStrideOfWhatItJoins) {
  using Strides = std::array<int64_t, 2>;
  const char *strided = "conv(8, kernel = 3, stride = 2)";
  EXPECT_EQ(getStridesLike("[8, 32, 32]", strided, "kernel = 1"), (Strides{2, 2}));
  EXPECT_EQ(getStridesLike("[8, 33, 31]", strided, "kernel = 1"), (Strides{2, 2}));
  EXPECT_EQ(getStridesLike("[8, 33, 31]", strided, "kernel = 3"), (Strides{2, 2}));
  EXPECT_EQ(getStridesLike("[8, 33, 32]", strided, "kernel = 2, pad = keras_same"), (Strides{2, 2}));
  EXPECT_EQ(getStridesLike("[8, 1, 38]", strided, "kernel = 1"), (Strides{2, 2})); // of one row any stride leaves one
  EXPECT_EQ(getStridesLike("[8, 32, 32]", "conv(8, kernel = 3, stride = [1, 2])", "kernel = 1"), (Strides{1, 2}));
  EXPECT_EQ(getStridesLike("[8, 32, 32]", "conv(8, kernel = 3)", "kernel = 1"), (Strides{1, 1}));
  EXPECT_EQ(getStridesLike("[8, 32, 30]", "conv(8, kernel = 3, stride = 5)", "kernel = 1"), (Strides{5, 5}));
}

/// Only the shape of `like` counts: it is no input, and using it so is no use.
TEST(Like, isNoInput) {
  Network network = analyzeRight(inModel("  y = x |> max_pool(2)\n  x = x |> subsample(like = y)\n  x = x + y"));
  EXPECT_EQ(network.layers[1].inputs.size(), 1u);
  EXPECT_EQ(network.layers[1].amount, 2);
}

//===----------------------------------------------------------------------===//
// Recipes
//===----------------------------------------------------------------------===//

std::string describe(const Value &value) {
  if (value.is(Value::List)) {
    std::string text;
    for (const Value &element : value.getElements())
      text += describe(element) + ";";
    return "[" + text + "]";
  }
  if (!value.is(Value::Record))
    return value.describe();
  std::string text = value.getName().str() + "{";
  for (const Value::Field &field : value.getFields())
    text += field.key + "=" + describe(field.value) + " ";
  return text + "}";
}

std::string getSetting(llvm::StringRef settings, llvm::StringRef key) {
  Network network = analyzeRight(inModel("") + ("train { " + settings + " }\n").str());
  const Value *value = network.recipe.getField(key);
  return value ? describe(*value) : "none";
}

TEST(Recipe, isCompleteWithoutTrain) {
  EXPECT_EQ(
      describe(analyzeRight(inModel("")).recipe),
      "recipe{data='cifar10' epochs=10 seed=0 augment=[] normalize='dataset' loss=cross_entropy{label_smoothing=0 } "
      "optimizer=sgd{momentum=0 nesterov=false weight_decay=0 } lr=constant{value=0.001 } batch=128 numerics='fast' }");
}

TEST(Recipe, dataIsSyntheticForOtherShapes) {
  Network network = analyzeRight("model m(image: [3, 64, 64]) -> [10] { return image |> flatten |> linear(10) }");
  EXPECT_TRUE(network.recipe.getField("data")->isWord("synthetic"));
}

TEST(Recipe, settings) {
  EXPECT_EQ(getSetting("augment = [pad_crop(4), flip]", "augment"), "[pad_crop{pad=4 };flip{};]");
  EXPECT_EQ(getSetting("augment = [pad_crop(pad = 4)]", "augment"), "[pad_crop{pad=4 };]");
  EXPECT_EQ(getSetting("numerics = strict", "numerics"), "'strict'");
  EXPECT_EQ(getSetting("normalize = none", "normalize"), "'none'");
  EXPECT_EQ(getSetting("normalize = fixed(mean = [0, 0.5, 1], std = [1, 2, 3])", "normalize"),
            "fixed{mean=[0;0.5;1;] std=[1;2;3;] }");
  EXPECT_EQ(getSetting("loss = cross_entropy(0.1)", "loss"), "cross_entropy{label_smoothing=0.1 }");
  EXPECT_EQ(getSetting("data = \"synthetic\"", "data"), "'synthetic'");
  EXPECT_EQ(getSetting("batch = 4 * 8", "batch"), "32");
}

TEST(Recipe, optimizers) {
  EXPECT_EQ(getSetting("optimizer = sgd(momentum = 0.9, nesterov = true)", "optimizer"),
            "sgd{momentum=0.9 nesterov=true weight_decay=0 }");
  EXPECT_EQ(getSetting("optimizer = adam", "optimizer"), "adam{beta1=0.9 beta2=0.999 epsilon=1e-08 weight_decay=0 }");
  EXPECT_EQ(getSetting("optimizer = adamw", "optimizer"),
            "adamw{beta1=0.9 beta2=0.999 epsilon=1e-08 weight_decay=0.01 }");
  EXPECT_EQ(getSetting("optimizer = rmsprop(momentum = 0.5)", "optimizer"),
            "rmsprop{alpha=0.99 epsilon=1e-08 momentum=0.5 weight_decay=0 }");
}

/// Every row of the schema is told in the language's page.
TEST(Recipe, settingsAreDocumented) {
  auto page = llvm::MemoryBuffer::getFile(RESIN_SOURCE_DIR "/docs/Language.md");
  ASSERT_TRUE(bool(page));
  llvm::StringRef text = (*page)->getBuffer();
  for (const recipe::SettingSpec &setting : recipe::getSettings()) {
    EXPECT_TRUE(text.contains("\n| `" + setting.name + "` | ")) << setting.name;
    for (const std::string &word : setting.words)
      EXPECT_TRUE(text.contains("`" + word + "`")) << word;
    for (const recipe::RecordSpec &record : setting.records) // adamw is told by what differs from adam
      EXPECT_TRUE(text.contains("`" + describe(record)) || record.name == "adamw" || record.name == "fixed")
          << describe(record);
  }
}

TEST(Recipe, roundedIntegersCount) {
  EXPECT_EQ(getSetting("epochs = 7 / 2", "epochs"), "3");
  EXPECT_EQ(getSetting("lr = 10 / 2", "lr"), "constant{value=5 }");
  EXPECT_EQ(getSetting("lr = 1.0 / 10", "lr"), "constant{value=0.1 }");
  EXPECT_EQ(getSetting("lr = 0.1 * 16 / 256", "lr"), "constant{value=0.00625 }");
}

TEST(Recipe, augmentTakesOneAlone) {
  EXPECT_EQ(getSetting("augment = none", "augment"), "[]");
  EXPECT_EQ(getSetting("augment = pad_crop(2)", "augment"), "[pad_crop{pad=2 };]");
  EXPECT_EQ(getSetting("augment = [pad_crop(0)]", "augment"), "[pad_crop{pad=0 };]");
}

TEST(Recipe, learningRates) {
  EXPECT_EQ(getSetting("lr = 1", "lr"), "constant{value=1 }");
  EXPECT_EQ(getSetting("lr = constant(0.5)", "lr"), "constant{value=0.5 }");
  EXPECT_EQ(getSetting("lr = cosine(0.1, 5)", "lr"), "cosine{peak=0.1 warmup=5 final=0 }");
  EXPECT_EQ(getSetting("lr = step(peak = 0.1, every = 30)", "lr"), "step{peak=0.1 every=30 factor=0.1 warmup=0 }");
  EXPECT_EQ(getSetting("optimizer = rmsprop", "lr"), "constant{value=0.01 }");
}

TEST(Recipe, numbersAreFloatsHoweverWritten) {
  Network network = analyzeRight(inModel("") + "train { lr = 1 optimizer = sgd(weight_decay = 0) }");
  EXPECT_TRUE(network.recipe.getField("lr")->getField("value")->is(Value::Float));
  EXPECT_TRUE(network.recipe.getField("optimizer")->getField("weight_decay")->is(Value::Float));
}

TEST(Recipe, decayCanBeOfWeightsOnly) {
  Network network = analyzeRight(inModel("  x = x |> batch_norm") + "train { weight_decay_on = weights }");
  for (const Layer &layer : network.layers)
    for (const Variable &variable : layer.variables)
      EXPECT_EQ(variable.isDecayed, variable.shape.size() > 1) << layer.path << "." << variable.suffix;
}

//===----------------------------------------------------------------------===//
// The models of the tree
//===----------------------------------------------------------------------===//

struct ModelCase {
  const char *name;
  int64_t parameters; // published counts: He et al. 2015 and torchvision
};

int64_t countParameters(const Network &network) {
  int64_t count = 0;
  for (const Layer &layer : network.layers)
    count += layer.countParameters();
  return count;
}

Network analyzeModel(const std::string &name) {
  auto buffer = llvm::MemoryBuffer::getFile(RESIN_SOURCE_DIR "/models/" + name + ".resin");
  EXPECT_TRUE(bool(buffer)) << name;
  return buffer ? analyzeRight((*buffer)->getBuffer()) : Network();
}

TEST(Models, parameters) {
  const ModelCase cases[] = {
      {"resnet20", 269722},        {"resnet32", 464154},        {"resnet44", 658586},   {"resnet56", 853018},
      {"resnet110", 1727962},      {"resnet18", 11689512},      {"resnet34", 21797672}, {"resnet50", 25557032},
      {"keras_three_conv", 76554}, {"keras_resnet64", 1359626},
  };
  for (const ModelCase &each : cases)
    EXPECT_EQ(countParameters(analyzeModel(each.name)), each.parameters) << each.name;
}

/// Other sizes than their own, odd ones and narrow ones: their shortcuts are as large as what they join.
TEST(Models, takeAnySize) {
  for (const char *name : {"resnet20", "resnet32", "resnet44", "resnet56", "resnet110", "resnet18", "resnet34",
                           "resnet50", "keras_three_conv", "keras_resnet64"})
    for (const char *size : {"33, 33", "225, 225", "31, 64", "17, 300", "64, 31"}) {
      auto buffer = llvm::MemoryBuffer::getFile(std::string(RESIN_SOURCE_DIR "/models/") + name + ".resin");
      ASSERT_TRUE(bool(buffer)) << name;
      std::string text = (*buffer)->getBuffer().str();
      size_t start = text.find("(image: [3, ") + 12, end = text.find(']', start);
      text.replace(start, end - start, size);
      if (size_t data = text.find("= cifar10"); data != std::string::npos)
        text.replace(data, 9, "= synthetic");
      Analysis analysis = analyzeText(text);
      EXPECT_TRUE(analysis.network) << name << " on " << size << ":\n" << analysis.messages;
    }
}

/// Names and shapes of torchvision's resnet50: conv1, bn1, layer1.0.conv1, ..., fc.
TEST(Models, resnet50HasTorchvisionsNames) {
  std::vector<std::string> expected;
  auto conv = [&](const std::string &name, int64_t out, int64_t in, int64_t kernel) {
    expected.push_back(name + ".weight" + print({out, in, kernel, kernel}));
  };
  auto norm = [&](const std::string &name, int64_t channels) {
    for (const char *suffix : {".weight", ".bias", ".running_mean", ".running_var"})
      expected.push_back(name + suffix + print({channels}));
  };
  conv("conv1", 64, 3, 7);
  norm("bn1", 64);
  int64_t in = 64;
  for (auto [stage, blocks] : llvm::enumerate(std::vector{3, 4, 6, 3}))
    for (int block = 0; block < blocks; ++block) {
      std::string prefix = "layer" + std::to_string(stage + 1) + "." + std::to_string(block) + ".";
      int64_t width = 64 << stage;
      conv(prefix + "conv1", width, in, 1);
      norm(prefix + "bn1", width);
      conv(prefix + "conv2", width, width, 3);
      norm(prefix + "bn2", width);
      conv(prefix + "conv3", 4 * width, width, 1);
      norm(prefix + "bn3", 4 * width);
      if (block == 0) {
        conv(prefix + "downsample.0", 4 * width, in, 1);
        norm(prefix + "downsample.1", 4 * width);
      }
      in = 4 * width;
    }
  expected.push_back("fc.weight[1000, 2048]");
  expected.push_back("fc.bias[1000]");

  std::vector<std::string> found;
  for (const Layer &layer : analyzeModel("resnet50").layers)
    for (const Variable &variable : layer.variables)
      found.push_back(layer.path + "." + variable.suffix + print(variable.shape));
  EXPECT_EQ(found, expected);
}

} // namespace
