//===- InterpreterTest.cpp - Runs, rounds, and complains ------------------===//

#include "dialects/Resnet/Interpreter.h"
#include "dialects/Resnet/Resnet.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace resin::resnet;

namespace {

class InterpreterTest : public ::testing::Test {
protected:
  InterpreterTest() { context.loadDialect<func::FuncDialect, ResnetDialect>(); }

  void parse(StringRef text) {
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module);
  }

  Tensor tensor(ArrayRef<int64_t> shape, std::vector<double> data) {
    Tensor result(shape);
    result.data = std::move(data);
    return result;
  }

  FailureOr<std::vector<Tensor>> run(StringRef function, ArrayRef<Tensor> arguments,
                                     Precision precision = Precision::F64) {
    message.clear();
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      if (message.empty())
        message = diagnostic.str();
    });
    return Interpreter(*module, precision).run(function, arguments, store);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  Store store;
  std::string message;
};

constexpr StringRef kCounter = R"mlir(
resnet.variable "statistic" @total : tensor<2xf32> init {name = "constant", value = 10.0 : f64}
func.func @count(%x: tensor<?x2xf32>) -> tensor<2xf32> {
  %old = resnet.read @total : tensor<2xf32>
  %sum = resnet.batch_sum %x : (tensor<?x2xf32>) -> tensor<2xf32>
  %new = resnet.running_average %old, %sum momentum 0.5 factor 2.0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  resnet.write @total, %new : tensor<2xf32>
  return %new : tensor<2xf32>
}
func.func @twice(%x: tensor<?x2xf32>) -> tensor<2xf32> {
  %0 = call @count(%x) : (tensor<?x2xf32>) -> tensor<2xf32>
  %1 = call @count(%x) : (tensor<?x2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}
func.func @forever(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = call @forever(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
})mlir";

TEST_F(InterpreterTest, ReadsWritesAndCalls) {
  ASSERT_NO_FATAL_FAILURE(parse(kCounter));
  ASSERT_TRUE(succeeded(initialise(*module, 1, store)));
  EXPECT_EQ(store["total"].data, (std::vector<double>{10, 10}));
  // 10 / 2 + 6 = 11, then 11 / 2 + 6 = 11.5; 10 / 2 + 2 = 7, then 7 / 2 + 2 = 5.5
  FailureOr<std::vector<Tensor>> results = run("twice", tensor({3, 2}, {1, 0, 2, 1, 3, 1}));
  ASSERT_TRUE(succeeded(results));
  EXPECT_EQ(results->front().data, (std::vector<double>{11.5, 5.5}));
  EXPECT_EQ(store["total"].data, results->front().data);
}

TEST_F(InterpreterTest, RoundsToFloatOrNotAtAll) {
  ASSERT_NO_FATAL_FAILURE(parse(R"mlir(func.func @f(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
    %0 = resnet.add %x, %x : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
    return %0 : tensor<1x1xf32>
  })mlir"));
  EXPECT_EQ(run("f", tensor({1, 1}, {0.1}))->front().data[0], 0.2);
  EXPECT_EQ(run("f", tensor({1, 1}, {0.1}), Precision::F32)->front().data[0], double(0.2f));
}

TEST_F(InterpreterTest, TellsWhatIsWrong) {
  ASSERT_NO_FATAL_FAILURE(parse(kCounter));
  EXPECT_TRUE(failed(run("missing", {})));
  EXPECT_EQ(message, "there is no function 'missing'");
  EXPECT_TRUE(failed(run("count", {})));
  EXPECT_EQ(message, "'count' takes 1 arguments, not 0");
  EXPECT_TRUE(failed(run("count", tensor({2, 3}, {1, 2, 3, 4, 5, 6}))));
  EXPECT_EQ(message, "argument 0 of 'count' is 'tensor<?x2xf32>', not a tensor of shape [2, 3]");
  EXPECT_TRUE(failed(run("count", tensor({2, 2}, {1}))));
  EXPECT_EQ(message, "argument 0 of 'count' is 'tensor<?x2xf32>', not a tensor of shape [2, 2]");
  EXPECT_TRUE(failed(run("count", tensor({1, 2}, {1, 2}))));
  EXPECT_EQ(message, "variable 'total' has no value");
  EXPECT_TRUE(failed(run("forever", tensor({2}, {1, 2}))));
  EXPECT_EQ(message, "calls of 'forever' nest more than 100 deep");
}

TEST_F(InterpreterTest, RefusesATensorThatNoMemoryHolds) {
  ASSERT_NO_FATAL_FAILURE(parse(R"mlir(func.func @f(%x: tensor<1x1xf32>) -> tensor<1x1x1000000x1000000xf32> {
    %0 = resnet.global_avg_pool_grad %x size [1000000, 1000000] : (tensor<1x1xf32>) -> tensor<1x1x1000000x1000000xf32>
    return %0 : tensor<1x1x1000000x1000000xf32>
  })mlir"));
  EXPECT_TRUE(failed(run("f", tensor({1, 1}, {0.1}))));
  EXPECT_EQ(message, "cannot interpret a tensor of shape [1, 1, 1000000, 1000000]: it has too many elements");
}

TEST_F(InterpreterTest, InitialValuesDependOnSeedAndName) {
  ASSERT_NO_FATAL_FAILURE(parse(R"mlir(
resnet.variable "parameter" @a : tensor<16x8x3x3xf32> init {name = "he_normal", fan = 72 : i64}
resnet.variable "parameter" @b : tensor<16x8x3x3xf32> init {name = "he_normal", fan = 72 : i64}
resnet.variable "parameter" @c : tensor<16x8x3x3xf32> init {name = "glorot_uniform", fan_in = 72 : i64, fan_out = 144 :
    i64}
)mlir"));
  ASSERT_TRUE(succeeded(initialise(*module, 1, store)));
  Store again, other;
  ASSERT_TRUE(succeeded(initialise(*module, 1, again)));
  ASSERT_TRUE(succeeded(initialise(*module, 2, other)));
  EXPECT_EQ(store["a"].data, again["a"].data);
  EXPECT_NE(store["a"].data, other["a"].data);
  EXPECT_NE(store["a"].data, store["b"].data);
  double squares = 0, largest = 0;
  for (double value : store["a"].data)
    squares += value * value;
  for (double value : store["c"].data)
    largest = std::max(largest, std::abs(value));
  EXPECT_NEAR(squares / 1152, 2.0 / 72, 0.1 * 2.0 / 72);
  EXPECT_LE(largest, std::sqrt(6.0 / 216));
  EXPECT_GE(largest, 0.99 * std::sqrt(6.0 / 216));
}

} // namespace
