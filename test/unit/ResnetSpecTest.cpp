//===- ResnetSpecTest.cpp - Fused regions and KernelSpecs are the same thing -===//

#include "dialects/Resnet/Interpreter.h"
#include "dialects/Resnet/Resnet.h"
#include "dialects/Resnet/Spec.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace resin::resnet;

namespace {

class ResnetSpec : public ::testing::Test {
protected:
  ResnetSpec() { context.loadDialect<func::FuncDialect, ResnetDialect>(); }

  FusedOp parse(StringRef text) {
    module = parseSourceString<ModuleOp>(text, &context);
    FusedOp found;
    if (module)
      module->walk([&](FusedOp op) { found = op; });
    return found;
  }

  /// The first diagnostic of building a function from the text of a spec.
  std::string complaint(const std::string &text) {
    resin::KernelSpec spec;
    std::string message;
    EXPECT_TRUE(resin::parse(text, spec, message)) << message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      if (message.empty())
        message = diagnostic.str();
    });
    EXPECT_FALSE(fusedFromSpec(&context, spec));
    return message;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

constexpr StringRef kConvolution = R"mlir(
!x = tensor<4x16x8x8xf32, #resnet.layout<c16, halo = 1>>
!xp = tensor<2x16x8x8xf32, #resnet.layout<c16, halo = 1>>
!w = tensor<16x16x3x3xf32, #resnet.layout<k16c16>>
!y = tensor<4x16x8x8xf32, #resnet.layout<c16>>
!yp = tensor<2x16x8x8xf32, #resnet.layout<c16>>
func.func @f(%x: !x, %w: !w) -> (!y, tensor<2x16xf32>) {
  %0:2 = resnet.fused(%x, %w) pieces 2 dims [0, -1] to [0, 0] : (!x, !w) -> (!y, tensor<2x16xf32>) {
  ^bb0(%a: !xp, %b: !w):
    %1 = resnet.conv2d %a, %b strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (!xp, !w) -> !yp
    %2 = resnet.channel_sum %1 pieces 1 : (!yp) -> tensor<1x16xf32>
    resnet.yield %1, %2 : !yp, tensor<1x16xf32>
  }
  return %0#0, %0#1 : !y, tensor<2x16xf32>
})mlir";

TEST_F(ResnetSpec, IsTheCanonicalPrintOfARegion) {
  FusedOp op = parse(kConvolution);
  ASSERT_TRUE(op);
  EXPECT_EQ(resin::print(specOf(op)),
            "(f32[2,16,8,8]c16h1, f32[16,16,3,3]k16c16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=1, "
            "padding=[1,1,1,1], strides=[1,1]} : f32[2,16,8,8]; %3 = channel_sum(%2) {pieces=1} : f32[1,16] } -> (%2: "
            "f32[2,16,8,8]c16, %3: f32[1,16])");
}

TEST_F(ResnetSpec, ComesBackAsARegion) {
  FusedOp op = parse(kConvolution);
  ASSERT_TRUE(op);
  const resin::KernelSpec spec = specOf(op);
  OwningOpRef<ModuleOp> again = fusedFromSpec(&context, spec);
  ASSERT_TRUE(again);
  again->walk([&](FusedOp copy) { EXPECT_EQ(specOf(copy), spec); });
  Store store;
  std::vector<Tensor> arguments = {Tensor({2, 16, 8, 8}), Tensor({16, 16, 3, 3})};
  std::fill(arguments[0].data.begin(), arguments[0].data.end(), 1.0);
  std::fill(arguments[1].data.begin(), arguments[1].data.end(), 1.0);
  FailureOr<std::vector<Tensor>> results = Interpreter(*again).run("kernel", arguments, store);
  ASSERT_TRUE(succeeded(results));
  EXPECT_EQ(results->front().at(0, 0, 3, 3), 9 * 16); // inside
  EXPECT_EQ(results->front().at(0, 0, 0, 0), 4 * 16); // in a corner
}

TEST_F(ResnetSpec, KnowsTheChannelsOfTheWhole) {
  FusedOp op = parse(R"mlir(
func.func @f(%x: tensor<2x16x4x4xf32>, %g: tensor<2x64x4x4xf32>) -> tensor<64x16x3x3xf32> {
  %0 = resnet.fused(%x, %g) pieces 4 dims [-1, 1] to [0] : (tensor<2x16x4x4xf32>, tensor<2x64x4x4xf32>) ->
      tensor<64x16x3x3xf32> {
  ^bb0(%a: tensor<2x16x4x4xf32>, %b: tensor<2x16x4x4xf32>):
    %1 = resnet.conv2d_grad_weight %a, %b kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 :
        (tensor<2x16x4x4xf32>, tensor<2x16x4x4xf32>) -> tensor<16x16x3x3xf32>
    resnet.yield %1 : tensor<16x16x3x3xf32>
  }
  return %0 : tensor<64x16x3x3xf32>
})mlir");
  ASSERT_TRUE(op);
  const resin::KernelSpec spec = specOf(op);
  EXPECT_EQ(spec.operands[0].storedChannels, 0);
  EXPECT_EQ(spec.operands[1].storedChannels, 64);
  EXPECT_EQ(spec.nodes[0].integer("lane"), 0); // an absent flag
  EXPECT_TRUE(fusedFromSpec(&context, spec));
}

TEST_F(ResnetSpec, FlagsComeBack) {
  resin::KernelSpec spec;
  std::string error;
  ASSERT_TRUE(resin::parse(
      "(f32[2,16,4,4], f32[2,8,4,4]) { %2 = conv2d_grad_weight(%0, %1) {dilations=[1,1], groups=1, kernel=[3,3], "
      "lane=1, padding=[1,1,1,1], strides=[1,1]} : f32[1,8,16,3,3]; %3 = avg_pool(%0) {count_include_pad=1, "
      "kernel=[2,2], padding=[0,0,0,0], strides=[2,2]} : f32[2,16,2,2] } -> (%2: f32[1,8,16,3,3], %3: f32[2,16,2,2])",
      spec, error))
      << error;
  OwningOpRef<ModuleOp> module = fusedFromSpec(&context, spec);
  ASSERT_TRUE(module);
  module->walk([&](FusedOp op) { EXPECT_EQ(specOf(op), spec); });
}

// A flag that is absent is 0 in the spec, and absent again in the region. The oracle of kernels once read any number as
// a lane, and called right kernels wrong.
TEST_F(ResnetSpec, AbsentFlagsStayAbsent) {
  resin::KernelSpec spec;
  std::string error;
  ASSERT_TRUE(
      resin::parse("(f32[2,16,4,4], f32[2,8,4,4]s16) { %2 = conv2d_grad_weight(%0, %1) {dilations=[1,1], groups=1, "
                   "kernel=[3,3], lane=0, padding=[1,1,1,1], strides=[1,1]} : f32[8,16,3,3] } -> (%2: f32[8,16,3,3])",
                   spec, error))
      << error;
  OwningOpRef<ModuleOp> module = fusedFromSpec(&context, spec);
  ASSERT_TRUE(module);
  spec.operands[1].storedChannels = 0; // the pieces are the whole
  module->walk([&](Conv2dGradWeightOp conv) { EXPECT_FALSE(conv.getLane()); });
  module->walk([&](FusedOp op) { EXPECT_EQ(specOf(op), spec); });
}

TEST_F(ResnetSpec, ComplainsOfWhatTheDialectDoesNotVerify) {
  EXPECT_EQ(complaint("(f32[2,4]) { %1 = fold(%0) {} : f32[2,4] } -> (%1: f32[2,4])"),
            "kernel spec: unknown op 'fold'");
  EXPECT_EQ(complaint("(f32[2,4]) { %1 = softmax(%0) {axis=1} : f32[2,4] } -> (%1: f32[2,4])"),
            "kernel spec: 'softmax' has no attribute 'axis'");
  EXPECT_EQ(complaint("(f32[2,4]) { %1 = softmax(%0) {} : f32[2,5] } -> (%1: f32[2,5])"),
            "'softmax' gives 'tensor<2x4xf32>', not 'tensor<2x5xf32>'");
  EXPECT_EQ(complaint("(f32[2,4]) { %1 = channel_sum(%0) {} : f32[1,4] } -> (%1: f32[1,4])"),
            "'resnet.channel_sum' op requires attribute 'pieces'");
  EXPECT_EQ(complaint("(f32[2,4]) { %1 = channel_sum(%0) {pieces=1.0} : f32[1,4] } -> (%1: f32[1,4])"),
            "'resnet.channel_sum' op requires attribute 'pieces'");
  EXPECT_EQ(complaint("(f32[2,4], f32[2,4]) { %2 = softmax(%0, %1) {} : f32[2,4] } -> (%2: f32[2,4])"),
            "'resnet.softmax' op requires a single operand");
}

} // namespace
