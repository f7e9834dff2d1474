//===- RuntimeRecipeTest.cpp - Recipes, --set, and learning rates ---------===//

#include "runtime/Recipe.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>

using namespace resin;
using namespace resin::runtime;

namespace {

Recipe set(const std::string &assignment, Recipe recipe = {}) {
  Status status = setRecipe(recipe, assignment);
  EXPECT_TRUE(status.ok()) << status.message();
  return recipe;
}

std::string refusal(const std::string &assignment, Recipe recipe = {}) {
  const std::string before = printRecipe(recipe);
  Status status = setRecipe(recipe, assignment);
  EXPECT_EQ(status.code(), ExitCode::Usage) << assignment.substr(0, 100);
  EXPECT_EQ(printRecipe(recipe), before) << assignment.substr(0, 100);
  return status.message();
}

Schedule scheduleOf(const std::string &text) { return set("train.lr=" + text).schedule; }

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

TEST(Recipe, IsReadBackToTheBit) {
  Recipe recipe = set("train.lr=cosine(peak=0.123456789012345678, warmup=2.5, final=1e-5)");
  recipe.augment = {{Augmentation::Kind::PadCrop, 3}, {Augmentation::Kind::Flip, 0}};
  recipe.normalize = {Normalize::Kind::Given, {0.1, 0.2, 0.3}, {1, 2, 3}};
  recipe.seed = 0xffffffffffffffffull;
  recipe.epochs = 7;
  Recipe read;
  ASSERT_TRUE(parseRecipe(printRecipe(recipe), read).ok());
  EXPECT_EQ(printRecipe(read), printRecipe(recipe));
  EXPECT_EQ(read.schedule.peak(), 0.123456789012345678);
  EXPECT_EQ(read.seed, recipe.seed);
}

/// As programs wrote it that took more than the language does: all of it goes on.
TEST(Recipe, OldCheckpointsAreRead) {
  for (
      const char *text :
      {R"({"augment":[{"name":"pad_crop","pad":0},{"name":"flip"}],"data":"cifar10","epochs":1000000000,)"
       R"("lr":{"every":2.5,"factor":0.0,"name":"step","peak":0.1,"warmup":0.0},)"
       R"("normalize":"dataset","seed":18446744073709551615})",
       R"({"augment":[],"data":"synthetic","epochs":3,)"
       R"("lr":{"every":30.0,"factor":0.1,"name":"step","peak":0.1,"warmup":1.5},)"
       R"("normalize":{"mean":[0.5,0.25],"std":[1.0,2.0]},"seed":0})",
       R"({"augment":[],"data":"cifar10","epochs":0,"lr":{"name":"constant","value":0.0},"normalize":"none","seed":7})",
       R"({"augment":[],"data":"cifar10","epochs":9,)"
       R"("lr":{"final":1e-60,"name":"cosine","peak":1e-60,"warmup":0.0},"normalize":"none","seed":7})"}) {
    Recipe recipe;
    Status status = parseRecipe(text, recipe);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(printRecipe(recipe), text);
  }
}

TEST(Recipe, BrokenJsonIsRefused) {
  Recipe recipe;
  std::string deep = R"({"augment":)";
  deep += std::string(2000, '[') + std::string(2000, ']') + "}";
  for (const std::string &text :
       {std::string("{"), std::string(R"({"epochs":"three"})"), std::string(R"({"epochs":-1})"),
        std::string(R"({"lr":{"name":"fast"}})"), std::string(R"({"lr":{"name":"cosine"}})"),
        std::string(R"({"lr":{"name":"step","peak":0.1,"every":0.0}})"), std::string(R"({"lr":null})"),
        std::string(R"({"augment":[{"name":"pad_crop","pad":5000}]})"),
        std::string(R"({"normalize":{"mean":[1],"std":[0]}})"),
        std::string(R"({"normalize":{"mean":[1],"std":[1,2]}})"), deep}) {
    Status status = parseRecipe(text, recipe);
    EXPECT_EQ(status.code(), ExitCode::BadData) << text.substr(0, 100);
    EXPECT_EQ(status.message().find("json.exception"), std::string::npos) << status.message();
  }
}

//===----------------------------------------------------------------------===//
// --set
//===----------------------------------------------------------------------===//

TEST(Recipe, SetTakesWhatTheLanguageSays) {
  EXPECT_EQ(set("train.epochs=12").epochs, 12);
  EXPECT_EQ(set("train.seed=5").seed, 5u);
  EXPECT_EQ(set("train.lr.value=0.5").schedule.peak(), 0.5);
  EXPECT_EQ(set("train.lr=0.25").schedule.name(), "constant");
  EXPECT_EQ(set("train.lr=constant(0.25)").schedule.peak(), 0.25);
  EXPECT_EQ(scheduleOf("step(peak=0.1, every=30, factor=0.2)").values, (std::vector<double>{0.1, 30, 0.2, 0}));
  EXPECT_EQ(scheduleOf("step( 0.1 , 2.5 , )").values, (std::vector<double>{0.1, 2.5, 0.1, 0}));
  EXPECT_EQ(scheduleOf("cosine(1e-1)").values, (std::vector<double>{0.1, 0, 0}));
  EXPECT_EQ(set("train.lr.warmup=2", set("train.lr=cosine(0.3)")).schedule.values, (std::vector<double>{0.3, 2, 0}));
  EXPECT_EQ(set("train.augment=[pad_crop(4), flip]").augment.size(), 2u);
  EXPECT_EQ(set("train.augment=pad_crop(pad=2)").augment[0].pad, 2);
  EXPECT_TRUE(set("train.augment=none").augment.empty());
  EXPECT_TRUE(set("train.augment=[]").augment.empty());
  EXPECT_EQ(set("train.normalize=none").normalize.kind, Normalize::Kind::None);
  EXPECT_EQ(set("train.normalize=\"none\"").normalize.kind, Normalize::Kind::None);
  EXPECT_EQ(set("train.normalize=fixed(mean=[-0.5, 1], std=[1, 2])").normalize.mean, (std::vector<double>{-0.5, 1}));
}

struct Refusal {
  const char *assignment, *message;
};

/// The messages are the compiler's (FrontendErrorsTest).
TEST(Recipe, SetSaysWhatIsWrong) {
  const Refusal refusals[] = {
      {"epochs=3", "--set epochs=3: is not of the form train.key=value"},
      {"train.epochs", "is not of the form train.key=value"},
      {"train.epochs=", "expected a value, found the end"},
      {"train.epochs=three", "--set train.epochs=three: 'epochs' is an integer from 0 to 1000000000, not 'three'"},
      {"train.epochs=2.7", "'epochs' is an integer from 0 to 1000000000, not 2.7"},
      {"train.epochs=-1", "'epochs' is an integer from 0 to 1000000000, not -1"},
      {"train.epochs=99999999999", "'epochs' is an integer from 0 to 1000000000, not 99999999999"},
      {"train.epochs=99999999999999999999", "the number 99999999999999999999 is too large"},
      {"train.epochs=3x", "'3x' is not a number"},
      {"train.epochs=1 2", "expected nothing after the value, found '2'"},
      {"train.epochs=2*3", "expected nothing after the value, found '*'"},
      {"train.epochs.x=3", "'epochs' has no argument 'x'"},
      {"train.seed=-1", "'seed' is an integer from 0 to 9223372036854775807, not -1"},
      {"train.epoch=3", "unknown setting 'epoch'; did you mean 'epochs'?"},
      {"train.precision=f16", "unknown setting 'precision'; settings are data, epochs, seed, augment"},
      {"train.batch=64",
       "'batch' is compiled into this program; rebuild it with 'resin build --set train.batch=64', or "
       "change epochs, seed, augment, normalize, lr"},
      {"train.optimizer.momentum=0.5", "'optimizer' is compiled into this program"},
      {"train.numerics=strict", "'numerics' is compiled into this program"},
      {"train.weight_decay_on=all", "'weight_decay_on' is compiled into this program"},
      {"train.lr=nan", "'lr' is constant, step, cosine; not 'nan'"},
      {"train.lr=-0.1", "'value' of 'constant' is a number above 0, not -0.1"},
      {"train.lr=1e39", "not 1e+39, which is infinite as a 32-bit float"},
      {"train.lr=1e-60", "not 1e-60, which is 0 as a 32-bit float"},
      {"train.lr=1e999", "the number '1e999' is too large"},
      {"train.lr=fast(1)", "'lr' is constant, step, cosine; not fast(...)"},
      {"train.lr=cosine", "'cosine' needs 'peak': a number above 0"},
      {"train.lr=cosine(warmup=5)", "'cosine' needs 'peak': a number above 0"},
      {"train.lr=cosine(0.1, every=30)", "'cosine' has no argument 'every'; it takes peak, warmup, final"},
      {"train.lr=cosine(0.1, warmpu=3)", "'cosine' has no argument 'warmpu'; did you mean 'warmup'?"},
      {"train.lr=cosine(0.1, 2, 3, 4)", "'cosine' takes 3 arguments, not 4"},
      {"train.lr=cosine(0.1, peak=0.1)", "'peak' of 'cosine' is given twice"},
      {"train.lr=cosine(peak=0.1, 2)", "an argument without a name can't follow one with a name"},
      {"train.lr=cosine(peak=0.1", "expected ',' or ')', found the end"},
      {"train.lr=step(1, every=0)", "'every' of 'step' is a number above 0, not 0"},
      {"train.lr=step(1, every=3, factor=0)", "'factor' of 'step' is a number above 0, not 0"},
      {"train.lr.peak=x", "'constant' has no argument 'peak'; it takes value"},
      {"train.lr.value=x", "'value' of 'constant' is a number above 0, not 'x'"},
      {"train.lr.every.x=1", "'constant' has no argument 'every.x'"},
      {"train.augment=blur", "'augment' is pad_crop, flip; not 'blur'"},
      {"train.augment=[flip", "expected ',' or ']', found the end"},
      {"train.augment=[flip(3)]", "'flip' takes no arguments, not 1"},
      {"train.augment=pad_crop", "'pad_crop' needs 'pad': an integer from 0 to 4096"},
      {"train.augment=pad_crop(9999)", "'pad' of 'pad_crop' is an integer from 0 to 4096, not 9999"},
      {"train.augment=pad_crop(1.5)", "'pad' of 'pad_crop' is an integer from 0 to 4096, not 1.5"},
      {"train.augment.pad=3", "'augment' has no argument 'pad'"},
      {"train.normalize=most", "'normalize' is fixed, none, dataset; not 'most'"},
      {"train.normalize=fixed(mean=[1], std=[1, 2])", "'fixed' has as many numbers in 'std' as in 'mean', 1, not 2"},
      {"train.normalize=fixed(mean=[1], std=[0])", "'std' of 'fixed' is above 0, not 0"},
      {"train.normalize=fixed(mean=[none], std=[1])", "'mean' of 'fixed' is a list of numbers, not of 'none'"},
      {"train.normalize=\"none", "the string is not closed"},
  };
  for (const Refusal &each : refusals)
    EXPECT_NE(refusal(each.assignment).find(each.message), std::string::npos)
        << each.assignment << ": expected " << each.message << ", found " << refusal(each.assignment);
}

TEST(Recipe, SetKeepsToTheScheduleThereIs) {
  const Recipe cosine = set("train.lr=cosine(0.1)");
  EXPECT_NE(refusal("train.lr.every=30", cosine).find("'cosine' has no argument 'every'; it takes peak, warmup, final"),
            std::string::npos);
}

TEST(Recipe, DeepValuesAreRefused) {
  for (const char *open : {"[", "f(", "a=", "-"}) {
    std::string text = "train.augment=";
    for (int i = 0; i < 100000; ++i)
      text += open;
    refusal(text);
  }
  EXPECT_NE(refusal("train.augment=" + std::string(100000, '[')).find("nested more than 200 deep"), std::string::npos);
}

/// What a test of bytes would do: whatever stands there, there is an answer.
TEST(Recipe, EveryPrefixAndReplacementIsSurvived) {
  const std::string text = "train.lr=[step(peak = -0.1e-3, every=30,), \"x\", true, cosine(1)]";
  for (size_t length = 0; length < text.size(); ++length)
    refusal(text.substr(0, length));
  for (size_t at = 9; at < text.size(); ++at)
    for (char other : {'(', ')', '[', ']', '=', ',', '"', '-', '.', 'e', '9', '\0', '\xff'}) {
      std::string changed = text;
      changed[at] = other;
      Recipe recipe;
      (void)setRecipe(recipe, changed);
    }
}

//===----------------------------------------------------------------------===//
// Learning rates
//===----------------------------------------------------------------------===//

TEST(LearningRate, Constant) {
  const Schedule schedule = scheduleOf("0.1");
  EXPECT_EQ(learningRate(schedule, 0, 10, 100), 0.1);
  EXPECT_EQ(learningRate(schedule, 999, 10, 100), 0.1);
  EXPECT_EQ(schedule.warmup(), 0);
}

TEST(LearningRate, StepFallsAtWholeEpochs) {
  const Schedule schedule = scheduleOf("step(peak = 1, every = 30)");
  EXPECT_EQ(learningRate(schedule, 299, 10, 90), 1.0);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 300, 10, 90), 0.1);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 600, 10, 90), 0.01);
}

TEST(LearningRate, CosineWarmsUpAndFalls) {
  // 10 updates an epoch, 2 epochs of warm-up, 12 in all: half way between is update 70.
  const Schedule schedule = scheduleOf("cosine(peak = 0.4, warmup = 2, final = 0.2)");
  EXPECT_EQ(schedule.warmup(), 2);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 0, 10, 12), 0.4 / 20);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 19, 10, 12), 0.4);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 20, 10, 12), 0.4);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 70, 10, 12), 0.3);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 120, 10, 12), 0.2);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 500, 10, 12), 0.2);
}

TEST(LearningRate, AllWarmup) {
  EXPECT_DOUBLE_EQ(learningRate(scheduleOf("cosine(0.4, warmup = 5)"), 9, 10, 1), 0.4 * 10 / 50);
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// A program takes what is too small for a normal float as 0.
TEST(Numbers, AreThoseOfFloats) {
  EXPECT_TRUE(isFloat(0) && isFloat(FLT_MAX) && isFloat(-FLT_MIN));
  EXPECT_FALSE(isFloat(1e39) || isFloat(FLT_MIN / 2) || isFloat(1e-60) || isFloat(NAN) || isFloat(INFINITY));
  EXPECT_TRUE(isInRange(0.999, RealRange::BelowOne) && isInRange(1, RealRange::UpToOne));
  EXPECT_FALSE(isInRange(1 - 1e-12, RealRange::BelowOne) || isInRange(1 + 1e-12, RealRange::UpToOne));
}

TEST(Numbers, ArePrintedShortAndToTheBit) {
  for (double number : {0.1, 1e-8, 0.123456789012345678, 1e39, 3.0})
    EXPECT_EQ(std::stod(printNumber(number)), number);
  EXPECT_EQ(printNumber(0.1), "0.1");
  EXPECT_EQ(describeNumber(0.1), "0.1");
}

} // namespace
