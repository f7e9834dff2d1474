//===- OpFactsTest.cpp - What is known of ops is true ---------------------===//

#include "dialects/Resnet/Interpreter.h"
#include "dialects/Resnet/Resnet.h"
#include "passes/Pieces.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

class OpFactsTest : public ::testing::Test {
protected:
  OpFactsTest() { context.loadDialect<func::FuncDialect, ResnetDialect>(); }

  MLIRContext context;
};

TEST_F(OpFactsTest, EveryOpHasARowWithItsAttributes) {
  size_t ops = 0;
  for (RegisteredOperationName name : context.getRegisteredOperationsByDialect("resnet")) {
    const OpFacts &facts = resin::factsOf(name.stripDialect().str());
    ASSERT_EQ(facts.name, name.stripDialect().str());
    std::set<std::string> known, declared;
    for (const AttributeFacts &attribute : facts.attributes)
      known.emplace(attribute.name);
    for (StringAttr attribute : name.getAttributeNames())
      declared.insert(attribute.str());
    EXPECT_EQ(known, declared) << facts.name;
    ++ops;
  }
  EXPECT_EQ(ops, allOpFacts().size());
}

TEST_F(OpFactsTest, AnUnknownOpStandsAlone) {
  const OpFacts &facts = resin::factsOf("batch_nrm");
  EXPECT_EQ(facts.role, OpRole::Alone);
  EXPECT_TRUE(facts.name.empty());
  EXPECT_FALSE(facts.isJoinable || facts.isElementwise || facts.isExpression);
}

TEST_F(OpFactsTest, GradientsBelongToOpsThatAre) {
  for (const OpFacts &facts : allOpFacts())
    if (!facts.gradientOf.empty())
      EXPECT_EQ(resin::factsOf(facts.gradientOf).name, facts.gradientOf) << facts.name;
}

TEST_F(OpFactsTest, ProductsReadAFilterSecondOrMakeIt) {
  for (const OpFacts &facts : allOpFacts()) {
    if (facts.product == Product::None)
      continue;
    EXPECT_EQ(facts.operands.size(), 2u) << facts.name;
    EXPECT_EQ(facts.gradient() < 2, facts.product != Product::Output) << facts.name;
    if (facts.product != Product::Filter)
      EXPECT_TRUE(facts.operands[1].name == "filter" || facts.operands[1].name == "weight") << facts.name;
  }
}

// What is cut into rows must not need the whole: LAMB and LARS would.
TEST_F(OpFactsTest, OnlyElementwiseUpdatesAreCutInRows) {
  OpFacts update = resin::factsOf("sgd");
  EXPECT_TRUE(canCutInRows(update, 4));
  EXPECT_FALSE(canCutInRows(update, 0));
  update.isElementwise = false;
  EXPECT_FALSE(canCutInRows(update, 4));
  EXPECT_FALSE(canCutInRows(resin::factsOf("relu"), 4));
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

/// An op without `resnet.` on operands of these types, up to its attributes; `results` are as many.
struct Example {
  const char *op;
  std::vector<const char *> operands;
  const char *attributes;
  std::vector<const char *> results;
};

#define X "tensor<2x3x2x2xf32>"
#define C "tensor<3xf32>"
#define S "tensor<f32>"

const Example kElementwise[] = {
    {"add", {X, X}, "", {X}},
    {"add_bias", {X, C}, "", {X}},
    {"affine_combine", {X, X, C, C, C}, "", {X}},
    {"batch_norm_inference", {X, C, C, C, C}, "epsilon 1.0e-5", {X}},
    {"dropout", {X, "tensor<2xi32>"}, "rate 0.5 layer 0", {X}},
    {"leaky_relu", {X}, "slope 0.01", {X}},
    {"leaky_relu_grad", {X, X}, "slope 0.01", {X}},
    {"relu", {X}, "", {X}},
    {"relu_grad", {X, X}, "", {X}},
    {"scale_shift", {X, C, C}, "", {X}},
    {"silu", {X}, "", {X}},
    {"silu_grad", {X, X}, "", {X}},
    {"running_average", {C, C}, "momentum 0.1 factor 1.0", {C}},
    {"inference_affine", {C, C, C, C}, "epsilon 1.0e-5", {C, C}},
    {"scale_add", {C, C, C}, "", {C}},
    {"scale_filter", {X, "tensor<2xf32>"}, "", {X}},
    {"relayout", {X}, "", {X}},
    {"sgd", {X, X, X, S}, "momentum 0.9 nesterov true weight_decay 0.1", {X, X}},
    {"adam", {X, X, X, X, S, S}, "beta1 0.9 beta2 0.9 epsilon 0.1 weight_decay 0.1 decoupled false", {X, X, X}},
    {"rmsprop", {X, X, X, X, S}, "alpha 0.9 epsilon 0.1 momentum 0.9 weight_decay 0.1", {X, X, X}},
};

std::string typesOf(const std::vector<const char *> &types) {
  std::string text;
  for (const char *type : types)
    text += (text.empty() ? "" : ", ") + std::string(type);
  return text;
}

std::string functionOf(const Example &example) {
  std::string arguments, operands, made;
  for (size_t i = 0; i < example.operands.size(); ++i) {
    const std::string name = "%x" + std::to_string(i);
    arguments += (i ? ", " : "") + name + ": " + example.operands[i];
    operands += (i ? ", " : "") + name;
  }
  for (size_t i = 0; i < example.results.size(); ++i)
    made += (i ? ", " : "") + std::string("%y#") + std::to_string(i);
  const std::string types = typesOf(example.operands), results = typesOf(example.results);
  const std::string form =
      example.op == std::string("relayout") ? types + " to " + results : "(" + types + ") -> (" + results + ")";
  return "func.func @f(" + arguments + ") -> (" + results + ") {\n  %y:" + std::to_string(example.results.size()) +
         " = resnet." + example.op + " " + operands + " " + example.attributes + " : " + form + "\n  return " + made +
         " : " + results + "\n}";
}

/// Where the results differ once an element of an operand of their shape is another.
std::set<int64_t> whereResultsChange(ModuleOp module, std::vector<Tensor> operands, size_t operand, int64_t element) {
  Store store;
  auto before = Interpreter(module).run("f", operands, store);
  operands[operand].data[element] += 0.25;
  auto after = Interpreter(module).run("f", operands, store);
  std::set<int64_t> changed;
  if (failed(before) || failed(after))
    return {-1};
  for (size_t i = 0; i < before->size(); ++i)
    for (int64_t e = 0; e < (*before)[i].size(); ++e)
      if ((*before)[i].data[e] != (*after)[i].data[e])
        changed.insert(e);
  return changed;
}

TEST_F(OpFactsTest, AnElementOfAnElementwiseOpReachesItsOwnIndexAlone) {
  std::set<std::string> tried;
  for (const Example &example : kElementwise) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(functionOf(example), &context);
    ASSERT_TRUE(module) << example.op;
    std::mt19937 random(1);
    std::vector<Tensor> operands;
    auto function = cast<func::FuncOp>(module->getBody()->front());
    for (Type type : function.getArgumentTypes()) {
      operands.emplace_back(cast<RankedTensorType>(type).getShape());
      for (double &value : operands.back().data)
        value = (1 + random() % 16) / 8.0;
    }
    for (size_t i = 0; i < operands.size(); ++i)
      for (int64_t e = 0; function.getArgumentTypes()[i] == function.getResultTypes()[0] && e < operands[i].size(); ++e)
        for (int64_t changed : whereResultsChange(*module, operands, i, e))
          EXPECT_EQ(changed, e) << example.op << ", operand " << i;
    tried.insert(example.op);
  }
  for (const OpFacts &facts : allOpFacts())
    EXPECT_EQ(facts.isElementwise, tried.contains(std::string(facts.name))) << facts.name;
}

} // namespace
