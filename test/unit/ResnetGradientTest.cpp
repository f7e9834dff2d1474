//===- ResnetGradientTest.cpp - Gradients meet central differences ---------===//
//
// For each differentiable op, in double: with loss = sum of weights * op(x), the
// gradient that the op builds is compared with (loss(x + h) - loss(x - h)) / 2h for
// every element of every operand, to 1e-6 of the largest. What is known of the op says
// what its gradient reads of its operands and results: no more, and no less.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Interpreter.h"
#include "dialects/Resnet/Resnet.h"
#include "support/Philox.h"

#include "llvm/ADT/StringExtras.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <set>

using namespace mlir;
using namespace resin::resnet;

namespace {

Tensor randomTensor(Type type, StringRef name) {
  auto tensorType = cast<RankedTensorType>(type);
  Tensor tensor(tensorType.getShape());
  for (int64_t i = 0; i < tensor.size(); ++i) {
    const double unit = resin::philox::uniform(11, resin::philox::hashName(name.str()), i);
    tensor.data[i] = tensorType.getElementType().isInteger() ? std::floor(3 * unit) : 2 * unit - 1;
  }
  return tensor;
}

class ResnetGradient : public ::testing::Test {
protected:
  ResnetGradient() { context.loadDialect<func::FuncDialect, ResnetDialect>(); }

  /// Parses a module whose function @f holds the op to differentiate, and adds @grad(operands..., gradient of the first
  /// result).
  void parse(StringRef text) {
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module);
    f = module->lookupSymbol<func::FuncOp>("f");
    for (auto [i, type] : llvm::enumerate(f.getArgumentTypes()))
      arguments.push_back(randomTensor(type, "x" + std::to_string(i)));
    weights = randomTensor(f.getResultTypes()[0], "weights");
  }

  void addGradientFunction() {
    Operation &op = f.getBody().front().front();
    ASSERT_TRUE(isa<GradientOpInterface>(op)) << "not differentiable";
    OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
    SmallVector<Type> types(f.getArgumentTypes());
    types.push_back(op.getResultTypes()[0]);
    auto function = func::FuncOp::create(builder, op.getLoc(), "grad", builder.getFunctionType(types, {}));
    Block *body = function.addEntryBlock();
    builder.setInsertionPointToEnd(body);
    IRMapping mapping;
    mapping.map(f.getArguments(), body->getArguments().drop_back());
    Operation *copy = builder.clone(op, mapping);
    SmallVector<Value> resultGradients(op.getNumResults());
    resultGradients[0] = body->getArguments().back();
    const SmallVector<bool> wanted(op.getNumOperands(), true);
    SmallVector<Value> gradients = cast<GradientOpInterface>(copy).gradient(builder, resultGradients, wanted);
    ASSERT_EQ(gradients.size(), op.getNumOperands());
    compareReads(copy);
    llvm::erase_if(gradients, [](Value value) { return !value; });
    func::ReturnOp::create(builder, op.getLoc(), gradients);
    function.setType(builder.getFunctionType(types, ValueRange(gradients).getTypes()));
    ASSERT_TRUE(succeeded(verify(*module)));
  }

  /// `input|result` in what is known stands for either, once.
  static void compareReads(Operation *op) {
    const resin::OpFacts &facts = factsOf(op);
    std::set<std::string> read, known;
    for (auto [i, value] : llvm::enumerate(op->getOperands()))
      if (llvm::any_of(value.getUsers(), [&](Operation *user) { return user != op; }))
        read.emplace(facts.operands[i].name);
    for (auto [i, value] : llvm::enumerate(op->getResults()))
      if (!value.use_empty())
        read.emplace(facts.results[i]);
    for (std::string_view name : facts.gradientReads)
      known.emplace(name);
    if (facts.readsInputOrResult() &&
        (read == std::set<std::string>{"input"} || read == std::set<std::string>{"result"}))
      return;
    EXPECT_EQ(read, known) << "what the gradient of " << std::string(facts.name) << " reads";
  }

  double loss() {
    Store store;
    FailureOr<std::vector<Tensor>> results = Interpreter(*module).run("f", arguments, store);
    if (failed(results)) {
      ADD_FAILURE() << "f cannot be interpreted";
      return 0;
    }
    double sum = 0;
    for (int64_t i = 0; i < weights.size(); ++i)
      sum += weights.data[i] * results->front().data[i];
    return sum;
  }

  std::vector<Tensor> analytic() {
    std::vector<Tensor> operands = arguments;
    operands.push_back(weights);
    Store store;
    FailureOr<std::vector<Tensor>> results = Interpreter(*module).run("grad", operands, store);
    EXPECT_TRUE(succeeded(results));
    return succeeded(results) ? *results : std::vector<Tensor>();
  }

  Tensor numeric(Tensor &argument) {
    constexpr double h = 1e-5;
    Tensor gradient(argument.shape);
    for (int64_t i = 0; i < argument.size(); ++i) {
      const double x = argument.data[i];
      argument.data[i] = x + h;
      const double above = loss();
      argument.data[i] = x - h;
      const double below = loss();
      argument.data[i] = x;
      gradient.data[i] = (above - below) / (2 * h);
    }
    return gradient;
  }

  /// @grad's results are the gradients of @f's floating-point arguments, in order.
  void compare() {
    const std::vector<Tensor> gradients = analytic();
    auto gradient = gradients.begin();
    for (auto [i, argument] : llvm::enumerate(arguments)) {
      if (!getElementTypeOrSelf(f.getArgumentTypes()[i]).isFloat())
        continue;
      ASSERT_NE(gradient, gradients.end());
      const Tensor expected = numeric(argument);
      ASSERT_EQ(gradient->shape, expected.shape);
      double largest = 0;
      for (double value : expected.data)
        largest = std::max(largest, std::abs(value));
      EXPECT_GT(largest, 0) << "argument " << i << " does not matter";
      for (int64_t e = 0; e < expected.size(); ++e)
        ASSERT_NEAR(gradient->data[e], expected.data[e], 1e-6 * largest) << "argument " << i << ", element " << e;
      ++gradient;
    }
    EXPECT_EQ(gradient, gradients.end());
  }

  /// The op in @f builds its own gradient.
  void check(StringRef text) {
    ASSERT_NO_FATAL_FAILURE(parse(text));
    ASSERT_NO_FATAL_FAILURE(addGradientFunction());
    compare();
  }

  /// One op, given as `name operands attributes` with operand types and result types.
  void checkOp(StringRef op, ArrayRef<StringRef> operands, ArrayRef<StringRef> results) {
    std::string arguments, types = llvm::join(operands, ", "), given = llvm::join(results, ", ");
    for (auto [i, type] : llvm::enumerate(operands))
      arguments += (i ? ", %" : "%") + std::string(1, char('a' + i)) + ": " + type.str();
    const std::string values = results.size() == 1 ? "%y" : "%y#0";
    const std::string names = results.size() == 1 ? "%y" : "%y:" + std::to_string(results.size());
    check("func.func @f(" + arguments + ") -> " + results[0].str() + " {\n  " + names + " = resnet." + op.str() +
          " : (" + types + ") -> (" + given + ")\n  return " + values + " : " + results[0].str() + "\n}\n");
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  func::FuncOp f;
  std::vector<Tensor> arguments;
  Tensor weights;
};

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

TEST_F(ResnetGradient, Conv2d) {
  checkOp("conv2d %a, %b strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1",
          {"tensor<2x3x4x5xf64>", "tensor<4x3x3x3xf64>"}, {"tensor<2x4x4x5xf64>"});
}
TEST_F(ResnetGradient, Conv2dOfOnePixel) {
  checkOp("conv2d %a, %b strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1",
          {"tensor<2x3x1x1xf64>", "tensor<2x3x3x3xf64>"}, {"tensor<2x2x1x1xf64>"});
}
TEST_F(ResnetGradient, Conv2dWithStrideThatLeavesARow) {
  // (6 + 0 - 3) / 2 + 1 = 2 rows: the last row meets no window.
  checkOp("conv2d %a, %b strides [2, 2] padding [0, 1, 0, 1] dilations [1, 1] groups 1",
          {"tensor<1x2x6x5xf64>", "tensor<3x2x3x3xf64>"}, {"tensor<1x3x2x3xf64>"});
}
TEST_F(ResnetGradient, Conv2dDilated) {
  checkOp("conv2d %a, %b strides [1, 2] padding [2, 1, 2, 0] dilations [2, 3] groups 1",
          {"tensor<1x2x5x9xf64>", "tensor<2x2x3x2xf64>"}, {"tensor<1x2x5x4xf64>"});
}
TEST_F(ResnetGradient, Conv2dGrouped) {
  checkOp("conv2d %a, %b strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 3",
          {"tensor<2x6x3x3xf64>", "tensor<9x2x3x3xf64>"}, {"tensor<2x9x3x3xf64>"});
}
TEST_F(ResnetGradient, Conv2dPaddedAsymmetrically) {
  checkOp("conv2d %a, %b strides [2, 2] padding [0, 0, 1, 1] dilations [1, 1] groups 1",
          {"tensor<2x2x4x4xf64>", "tensor<2x2x3x3xf64>"}, {"tensor<2x2x2x2xf64>"});
}
TEST_F(ResnetGradient, Conv2dPaddedBeyondTheFilter) {
  // Some windows see nothing but padding.
  checkOp("conv2d %a, %b strides [1, 1] padding [3, 3, 3, 3] dilations [1, 1] groups 1",
          {"tensor<1x2x2x2xf64>", "tensor<2x2x2x2xf64>"}, {"tensor<1x2x7x7xf64>"});
}
TEST_F(ResnetGradient, Conv2dPointwiseStrided) {
  checkOp("conv2d %a, %b strides [2, 2] padding [0, 0, 0, 0] dilations [1, 1] groups 1",
          {"tensor<2x3x5x5xf64>", "tensor<4x3x1x1xf64>"}, {"tensor<2x4x3x3xf64>"});
}

//===----------------------------------------------------------------------===//
// Batch norm
//===----------------------------------------------------------------------===//

TEST_F(ResnetGradient, BatchNormTrain) {
  checkOp("batch_norm_train %a, %b, %c epsilon 1.0e-3", {"tensor<3x4x2x3xf64>", "tensor<4xf64>", "tensor<4xf64>"},
          {"tensor<3x4x2x3xf64>", "tensor<4xf64>", "tensor<4xf64>"});
}
TEST_F(ResnetGradient, BatchNormTrainOfFeatures) {
  checkOp("batch_norm_train %a, %b, %c epsilon 1.0e-3", {"tensor<5x3xf64>", "tensor<3xf64>", "tensor<3xf64>"},
          {"tensor<5x3xf64>", "tensor<3xf64>", "tensor<3xf64>"});
}

// The pieces that batch norm is cut into give the same result, and the affine form of its gradient the same gradients.
// N = 4 * 2 * 3 = 24.
TEST_F(ResnetGradient, BatchNormInPieces) {
  ASSERT_NO_FATAL_FAILURE(parse(R"mlir(
!image = tensor<4x3x2x3xf64>
!channel = tensor<3xf64>
!sums = tensor<2x3xf64>
func.func @f(%y: !image, %scale: !channel, %offset: !channel) -> !image {
  %s = resnet.channel_sum %y pieces 2 : (!image) -> !sums
  %q = resnet.channel_dot %y, %y pieces 2 : (!image, !image) -> !sums
  %m, %a, %mean, %variance = resnet.batch_norm_finalize %s, %q, %scale, %offset count 24.0 epsilon 1.0e-3 : (!sums,
      !sums, !channel, !channel) -> (!channel, !channel, !channel, !channel)
  %z = resnet.scale_shift %y, %m, %a : (!image, !channel, !channel) -> !image
  return %z : !image
}
func.func @grad(%y: !image, %scale: !channel, %offset: !channel, %dz: !image) -> (!image, !channel, !channel) {
  %z, %mean, %variance = resnet.batch_norm_train %y, %scale, %offset epsilon 1.0e-3 : (!image, !channel, !channel) ->
      (!image, !channel, !channel)
  %s = resnet.channel_sum %dz pieces 4 : (!image) -> tensor<4x3xf64>
  %d = resnet.channel_dot %dz, %y pieces 4 : (!image, !image) -> tensor<4x3xf64>
  %a, %b, %c, %ds, %do = resnet.batch_norm_grad_finalize %s, %d, %scale, %mean, %variance count 24.0 epsilon 1.0e-3 :
      (tensor<4x3xf64>, tensor<4x3xf64>, !channel, !channel, !channel) -> (!channel, !channel, !channel, !channel,
          !channel)
  %dy = resnet.affine_combine %dz, %y, %a, %b, %c : (!image, !image, !channel, !channel, !channel) -> !image
  return %dy, %ds, %do : !image, !channel, !channel
}
)mlir"));
  compare();
}

//===----------------------------------------------------------------------===//
// Pointwise
//===----------------------------------------------------------------------===//

TEST_F(ResnetGradient, Relu) { checkOp("relu %a", {"tensor<2x3x3x2xf64>"}, {"tensor<2x3x3x2xf64>"}); }
TEST_F(ResnetGradient, LeakyRelu) {
  checkOp("leaky_relu %a slope 0.25", {"tensor<2x3x3x2xf64>"}, {"tensor<2x3x3x2xf64>"});
}
TEST_F(ResnetGradient, Silu) { checkOp("silu %a", {"tensor<2x3x3x2xf64>"}, {"tensor<2x3x3x2xf64>"}); }
TEST_F(ResnetGradient, SiluOfFeatures) { checkOp("silu %a", {"tensor<4x5xf64>"}, {"tensor<4x5xf64>"}); }
TEST_F(ResnetGradient, Add) {
  checkOp("add %a, %b", {"tensor<2x3x3x2xf64>", "tensor<2x3x3x2xf64>"}, {"tensor<2x3x3x2xf64>"});
}
TEST_F(ResnetGradient, AddBiasOfImages) {
  checkOp("add_bias %a, %b", {"tensor<2x3x3x2xf64>", "tensor<3xf64>"}, {"tensor<2x3x3x2xf64>"});
}
TEST_F(ResnetGradient, AddBiasOfFeatures) {
  checkOp("add_bias %a, %b", {"tensor<4x3xf64>", "tensor<3xf64>"}, {"tensor<4x3xf64>"});
}
TEST_F(ResnetGradient, Dropout) {
  checkOp("dropout %a, %b rate 0.4 layer 3", {"tensor<3x7xf64>", "tensor<2xi32>"}, {"tensor<3x7xf64>"});
}

//===----------------------------------------------------------------------===//
// Pools and shape
//===----------------------------------------------------------------------===//

TEST_F(ResnetGradient, MaxPool) {
  checkOp("max_pool %a kernel [3, 3] strides [2, 2] padding [1, 1, 1, 1]", {"tensor<2x2x5x6xf64>"},
          {"tensor<2x2x3x3xf64>"});
}
TEST_F(ResnetGradient, MaxPoolOfOnePixel) {
  checkOp("max_pool %a kernel [3, 3] strides [2, 2] padding [1, 1, 1, 1]", {"tensor<2x2x1x1xf64>"},
          {"tensor<2x2x1x1xf64>"});
}
TEST_F(ResnetGradient, MaxPoolGoesToTheFirstMaximum) {
  ASSERT_NO_FATAL_FAILURE(parse(R"mlir(func.func @f(%a: tensor<1x1x2x2xf64>) -> tensor<1x1x1x1xf64> {
    %y = resnet.max_pool %a kernel [2, 2] strides [2, 2] padding [0, 0, 0, 0] : (tensor<1x1x2x2xf64>) ->
        tensor<1x1x1x1xf64>
    return %y : tensor<1x1x1x1xf64>
  })mlir"));
  ASSERT_NO_FATAL_FAILURE(addGradientFunction());
  arguments[0].data = {1, 7, 7, 7};
  weights.data = {5};
  EXPECT_EQ(analytic()[0].data, (std::vector<double>{0, 5, 0, 0}));
}
TEST_F(ResnetGradient, AvgPoolThatCountsItsPadding) {
  checkOp("avg_pool %a kernel [3, 2] strides [2, 1] padding [1, 1, 1, 0] count_include_pad true",
          {"tensor<2x2x4x3xf64>"}, {"tensor<2x2x2x3xf64>"});
}
TEST_F(ResnetGradient, AvgPoolThatDoesNot) {
  checkOp("avg_pool %a kernel [3, 2] strides [2, 1] padding [1, 1, 1, 0] count_include_pad false",
          {"tensor<2x2x4x3xf64>"}, {"tensor<2x2x2x3xf64>"});
}
TEST_F(ResnetGradient, GlobalAvgPool) { checkOp("global_avg_pool %a", {"tensor<2x3x3x5xf64>"}, {"tensor<2x3xf64>"}); }
TEST_F(ResnetGradient, Flatten) { checkOp("flatten %a", {"tensor<2x3x2x2xf64>"}, {"tensor<2x12xf64>"}); }
TEST_F(ResnetGradient, Subsample) {
  checkOp("subsample %a stride 2", {"tensor<2x2x5x4xf64>"}, {"tensor<2x2x3x2xf64>"});
}
TEST_F(ResnetGradient, PadChannels) {
  checkOp("pad_channels %a channels 5", {"tensor<2x3x2x2xf64>"}, {"tensor<2x5x2x2xf64>"});
}

//===----------------------------------------------------------------------===//
// Dense layers and losses
//===----------------------------------------------------------------------===//

TEST_F(ResnetGradient, Linear) {
  checkOp("linear %a, %b", {"tensor<3x5xf64>", "tensor<4x5xf64>"}, {"tensor<3x4xf64>"});
}
TEST_F(ResnetGradient, Softmax) { checkOp("softmax %a", {"tensor<3x5xf64>"}, {"tensor<3x5xf64>"}); }

// The loss of image n has weight `weights[n]` in `loss`; the op's gradient is of the mean, so the weights are made
// equal.
TEST_F(ResnetGradient, CrossEntropy) {
  ASSERT_NO_FATAL_FAILURE(parse(R"mlir(
func.func @f(%x: tensor<4x3xf64>, %l: tensor<4xi32>) -> tensor<4xf64> {
  %y = resnet.cross_entropy %x, %l label_smoothing 0.1 : (tensor<4x3xf64>, tensor<4xi32>) -> tensor<4xf64>
  return %y : tensor<4xf64>
}
func.func @grad(%x: tensor<4x3xf64>, %l: tensor<4xi32>, %unused: tensor<4xf64>) -> tensor<4x3xf64> {
  %y = resnet.cross_entropy_grad %x, %l label_smoothing 0.1 factor 0.25 : (tensor<4x3xf64>, tensor<4xi32>) ->
      tensor<4x3xf64>
  return %y : tensor<4x3xf64>
}
)mlir"));
  arguments[1].data = {2, -1, 0, 1}; // the second image is padding
  weights.data.assign(4, 0.25);
  compare();
}

} // namespace
