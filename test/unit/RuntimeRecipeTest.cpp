//===- RuntimeRecipeTest.cpp - Recipes, --set, and learning rates ---------===//

#include "runtime/LearningRate.h"
#include "runtime/Recipe.h"

#include <gtest/gtest.h>

using namespace resin;
using namespace resin::runtime;

namespace {

Recipe set(const std::string &assignment) {
  Recipe recipe;
  Status status = setRecipe(recipe, assignment);
  EXPECT_TRUE(status.ok()) << status.message();
  return recipe;
}

std::string refusal(const std::string &assignment) {
  Recipe recipe;
  Status status = setRecipe(recipe, assignment);
  EXPECT_EQ(status.code(), ExitCode::Usage) << assignment;
  return status.message();
}

TEST(Recipe, IsReadBackToTheBit) {
  Recipe recipe = set("train.lr=cosine(peak=0.123456789012345678, warmup=2.5, final=1e-5)");
  recipe.augment = {{Augmentation::Kind::PadCrop, 3}, {Augmentation::Kind::Flip, 0}};
  recipe.normalize = {Normalize::Kind::Given, {0.1, 0.2, 0.3}, {1, 2, 3}};
  recipe.seed = 0xffffffffffffffffull;
  recipe.epochs = 7;
  Recipe read;
  ASSERT_TRUE(parseRecipe(printRecipe(recipe), read).ok());
  EXPECT_EQ(printRecipe(read), printRecipe(recipe));
  EXPECT_EQ(read.schedule.peak, 0.123456789012345678);
  EXPECT_EQ(read.seed, recipe.seed);
}

TEST(Recipe, SetTakesWhatTheLanguageSays) {
  EXPECT_EQ(set("train.epochs=12").epochs, 12);
  EXPECT_EQ(set("train.seed=5").seed, 5u);
  EXPECT_EQ(set("train.lr.peak=0.5").schedule.peak, 0.5);
  EXPECT_EQ(set("train.lr=0.25").schedule.kind, Schedule::Kind::Constant);
  EXPECT_EQ(set("train.lr=constant(0.25)").schedule.peak, 0.25);
  const Schedule step = set("train.lr=step(peak=0.1, every=30, factor=0.2)").schedule;
  EXPECT_EQ(step.kind, Schedule::Kind::Step);
  EXPECT_EQ(step.factor, 0.2);
  EXPECT_EQ(set("train.augment=[pad_crop(4), flip]").augment.size(), 2u);
  EXPECT_EQ(set("train.augment=pad_crop(pad=2)").augment[0].pad, 2);
  EXPECT_TRUE(set("train.augment=none").augment.empty());
  EXPECT_TRUE(set("train.augment=[]").augment.empty());
  EXPECT_EQ(set("train.normalize=none").normalize.kind, Normalize::Kind::None);
}

TEST(Recipe, SetSaysWhatIsWrong) {
  EXPECT_NE(refusal("train.batch=64").find("rebuild it with 'resin build --set train.batch=64'"), std::string::npos);
  EXPECT_NE(refusal("train.optimizer.momentum=0.5").find("compiled into"), std::string::npos);
  EXPECT_NE(refusal("train.epoch=3").find("did you mean 'epochs'?"), std::string::npos);
  EXPECT_NE(refusal("epochs=3").find("train.key=value"), std::string::npos);
  for (const char *bad :
       {"train.epochs", "train.epochs=", "train.epochs=three", "train.epochs=-1", "train.lr=fast(1)", "train.lr.peak=x",
        "train.lr.pace=1", "train.lr.peak=-1", "train.lr=cosine(peak=0.1", "train.augment=[flip", "train.augment=blur",
        "train.augment=pad_crop(9999)", "train.lr=1 2", "train.normalize=most", "train.lr=nan", "train.lr.every.x=1",
        "train.augment.pad=3", "train.lr=step(1, every=0)"})
    refusal(bad);
}

TEST(LearningRate, Constant) {
  const Schedule schedule{Schedule::Kind::Constant, 0.1, 5, 0, 0, 0};
  EXPECT_EQ(learningRate(schedule, 0, 10, 100), 0.1);
  EXPECT_EQ(learningRate(schedule, 999, 10, 100), 0.1);
}

TEST(LearningRate, StepFallsAtWholeEpochs) {
  const Schedule schedule{Schedule::Kind::Step, 1.0, 0, 30, 0.1, 0};
  EXPECT_EQ(learningRate(schedule, 299, 10, 90), 1.0);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 300, 10, 90), 0.1);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 600, 10, 90), 0.01);
}

TEST(LearningRate, CosineWarmsUpAndFalls) {
  // 10 updates an epoch, 2 epochs of warm-up, 12 in all: half way between is update 70.
  const Schedule schedule{Schedule::Kind::Cosine, 0.4, 2, 0, 0, 0.2};
  EXPECT_DOUBLE_EQ(learningRate(schedule, 0, 10, 12), 0.4 / 20);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 19, 10, 12), 0.4);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 20, 10, 12), 0.4);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 70, 10, 12), 0.3);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 120, 10, 12), 0.2);
  EXPECT_DOUBLE_EQ(learningRate(schedule, 500, 10, 12), 0.2);
}

TEST(LearningRate, AllWarmup) {
  const Schedule schedule{Schedule::Kind::Cosine, 0.4, 5, 0, 0, 0};
  EXPECT_DOUBLE_EQ(learningRate(schedule, 9, 10, 1), 0.4 * 10 / 50);
}

} // namespace
