//===- RuntimeDataTest.cpp - Reading, drawing and augmenting images -------===//

#include "runtime/data/Augment.h"
#include "runtime/data/BatchWriter.h"
#include "runtime/data/ImageSet.h"
#include "runtime/data/PixelScale.h"
#include "runtime/data/Registry.h"
#include "runtime/device/cpu/ThreadPool.h"
#include "test/unit/TemporaryFolder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <set>

using namespace resin;
using namespace resin::runtime;

namespace {

constexpr size_t kRecord = 3073;
const DataNeeds kNeeds{{3, 32, 32}, 10, -1};

std::string records(const std::vector<int> &labels) {
  std::string bytes;
  for (int label : labels)
    bytes += static_cast<char>(label) + std::string(kRecord - 1, static_cast<char>(label * 10));
  return bytes;
}

/// What `--data` names, where that lies in memory.
StatusOr<ImageSet> load(const std::string &where, Part part = Part::Train, DataNeeds needs = kNeeds,
                        unsigned threads = 1) {
  ThreadPool pool(threads);
  const StatusOr<std::unique_ptr<Source>> source = openSource(where, part, needs, pool);
  if (source.failed())
    return source.status();
  return static_cast<const ImageSet &>(**source);
}

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

TEST(Registry, HelpAndMessagesComeFromTheRows) {
  TemporaryFolder folder;
  const std::string missing = load(folder / "missing").status().message(),
                    empty = load(folder / ".").status().message();
  EXPECT_TRUE(missing.starts_with((folder / "missing") + ": is not there; --data takes ")) << missing;
  EXPECT_NE(empty.find(": is no data set that is known; --data takes "), std::string::npos) << empty;
  for (const SourceKind *kind : sourceKinds())
    for (const std::string &text : {describeSources(), missing, empty})
      EXPECT_NE(text.find(kind->argument), std::string::npos) << text;
}

TEST(Registry, KindsHaveTheNamesThatRecipesKnow) {
  for (const SourceKind *kind : sourceKinds()) {
    Recipe recipe;
    EXPECT_TRUE(parseRecipe(concat("{\"data\": \"", kind->name, "\"}"), recipe).ok()) << kind->name;
    EXPECT_EQ(recipe.data, kind->name);
  }
}

TEST(Registry, AKindKnowsItsClasses) {
  EXPECT_EQ(className("cifar10", 9), "truck");
  EXPECT_EQ(className("cifar10", 10), "class 10");
  EXPECT_EQ(className("synthetic", 3), "class 3");
  EXPECT_EQ(className("another", 3), "class 3");
}

TEST(Registry, TellsAFolderByEitherPart) {
  TemporaryFolder folder;
  folder.write("test_batch.bin", records({1}));
  EXPECT_EQ((*kindOf(folder / "."))->name, std::string("cifar10"));
  const Status train = load(folder / ".").status();
  EXPECT_EQ(train.code(), ExitCode::NoInput);
  EXPECT_NE(train.message().find(": has no data_batch_<number>.bin"), std::string::npos) << train.message();
  EXPECT_EQ((*kindOf("synthetic"))->name, std::string("synthetic"));
}

//===----------------------------------------------------------------------===//
// CIFAR-10 and synthetic
//===----------------------------------------------------------------------===//

TEST(Cifar, ReadsBatchesInOrder) {
  TemporaryFolder folder;
  folder.write("data_batch_10.bin", records({7}));
  folder.write("data_batch_2.bin", records({2, 3}));
  folder.write("data_batch_1.bin", records({1}));
  folder.write("test_batch.bin", records({9}));
  for (const char *copy : {"data_batch_1_copy.bin", "data_batch_1 (1).bin", "data_batch_.bin", "data_batch_-3.bin",
                           "data_batch_1.bin.bin", "data_batch_4.bin~", "data_batch.bin", "old_data_batch_1.bin"})
    folder.write(copy, records({5}));
  StatusOr<ImageSet> set = load(folder / ".");
  ASSERT_TRUE(set.ok()) << set.status().message();
  EXPECT_EQ(set->labels, (std::vector<int32_t>{1, 2, 3, 7}));
  EXPECT_EQ(set->image(2)[0], 30);
  EXPECT_EQ(load(folder / ".", Part::Test)->labels, std::vector<int32_t>{9});
  DataNeeds two = kNeeds;
  two.limit = 2;
  EXPECT_EQ(load(folder / ".", Part::Train, two)->pixels.size(), 2 * (kRecord - 1));
}

TEST(Cifar, LooksIntoTheArchivesFolder) {
  TemporaryFolder folder;
  folder.write("cifar-10-batches-bin/data_batch_1.bin", records({4}));
  EXPECT_EQ(load(folder / ".")->labels, std::vector<int32_t>{4});
}

TEST(Cifar, SaysWhatIsWrongAndWhere) {
  TemporaryFolder folder;
  auto refusal = [&](const std::string &bytes, ExitCode code) {
    folder.write("data_batch_1.bin", bytes);
    Status status = load(folder / ".").status();
    EXPECT_EQ(status.code(), code);
    return status.message();
  };
  EXPECT_EQ(load(folder / ".").status().code(), ExitCode::NoInput);
  EXPECT_EQ(load(folder / "missing").status().code(), ExitCode::NoInput);
  EXPECT_NE(refusal("", ExitCode::BadData).find("data_batch_1.bin: is empty"), std::string::npos);
  EXPECT_NE(refusal(records({1, 2}).substr(1), ExitCode::BadData).find("6145 bytes"), std::string::npos);
  EXPECT_NE(refusal(records({1, 2}) + "x", ExitCode::BadData).find("multiple of the 3073"), std::string::npos);
  EXPECT_NE(refusal("\x80\x03}q\x01(X\x09", ExitCode::BadData)
                .find("data_batch_1.bin: is a Python pickle; CIFAR-10's binary version is needed"),
            std::string::npos);
  EXPECT_NE(refusal(records({1, 2, 10}), ExitCode::BadData).find("record 2 (byte 6146) has the label 10"),
            std::string::npos);
  folder.write("data_batch_1.bin", records({1}));
  DataNeeds large = kNeeds;
  large.image = {3, 224, 224};
  EXPECT_NE(load(folder / ".", Part::Train, large).status().message().find("takes 3 x 224 x 224"), std::string::npos);
}

TEST(ImageSet, MeasuresMeanAndDeviation) {
  ImageSet set;
  set.shape = {2, 1, 2};
  set.pixels = {0, 255, 7, 7, 255, 0, 7, 7};
  set.labels = {0, 0};
  ThreadPool pool(3);
  const PixelScale scale = *measure(set, pool);
  EXPECT_DOUBLE_EQ(scale.mean[0], 0.5);
  EXPECT_DOUBLE_EQ(scale.deviation[0], 0.5);
  EXPECT_DOUBLE_EQ(scale.mean[1], 7 / 255.0);
  EXPECT_DOUBLE_EQ(scale.deviation[1], 1) << "a channel of one colour is not divided";
}

TEST(Synthetic, IsTheSameForAnyNumberOfThreads) {
  DataNeeds needs{{3, 24, 40}, 10, 300};
  const ImageSet a = *load("synthetic", Part::Train, needs, 1), b = *load("synthetic", Part::Train, needs, 3);
  EXPECT_EQ(a.pixels, b.pixels);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.size(), 300);
  EXPECT_EQ(std::set<int32_t>(a.labels.begin(), a.labels.end()).size(), 10u);
  const ImageSet test = *load("synthetic", Part::Test, needs);
  EXPECT_NE(a.pixels, test.pixels);
}

TEST(Synthetic, StaysWithinMemoryForLargeImages) {
  DataNeeds needs{{3, 224, 224}, 1000, -1};
  const ImageSet set = *load("synthetic", Part::Test, needs, 2);
  EXPECT_LE(set.pixels.size(), size_t(128) << 20);
  EXPECT_LT(*std::max_element(set.labels.begin(), set.labels.end()), 1000);
}

/// The class whose mean image is nearest: the best a linear model of pixels could hope for
/// with equal spreads.
TEST(Synthetic, IsNotLearntFromMeanImages) {
  DataNeeds needs{{3, 32, 32}, 10, 1500};
  const ImageSet train = *load("synthetic", Part::Train, needs, 2), test = *load("synthetic", Part::Test, needs, 2);
  std::vector<std::vector<double>> mean(10, std::vector<double>(3072));
  std::vector<int> count(10);
  for (int64_t i = 0; i < train.size(); ++i, ++count[train.labels[i - 1]])
    for (int p = 0; p < 3072; ++p)
      mean[train.labels[i]][p] += train.image(i)[p];
  int right = 0;
  for (int64_t i = 0; i < 400; ++i) {
    double least = 1e300;
    int best = 0;
    for (int c = 0; c < 10; ++c) {
      double distance = 0;
      for (int p = 0; p < 3072; ++p)
        distance += std::pow(test.image(i)[p] - mean[c][p] / count[c], 2);
      if (distance < least)
        least = distance, best = c;
    }
    right += best == test.labels[i];
  }
  EXPECT_LT(right, 100);
}

//===----------------------------------------------------------------------===//
// Augmentation
//===----------------------------------------------------------------------===//

TEST(Augment, ShufflesEachEpochAnew) {
  const std::vector<int64_t> first = shuffled(1000, 1, 0), second = shuffled(1000, 1, 1), other = shuffled(1000, 2, 0);
  EXPECT_EQ(first, shuffled(1000, 1, 0));
  EXPECT_NE(first, second);
  EXPECT_NE(first, other);
  EXPECT_EQ(std::set<int64_t>(first.begin(), first.end()).size(), 1000u);
  // Each of six orders of three comes up about 1000 times in 6000.
  std::map<std::vector<int64_t>, int> orders;
  for (int epoch = 0; epoch < 6000; ++epoch)
    ++orders[shuffled(3, 9, epoch)];
  ASSERT_EQ(orders.size(), 6u);
  for (auto &[order, times] : orders)
    EXPECT_NEAR(times, 1000, 150);
}

TEST(Augment, DrawsEveryOffsetAndHalfTheFlips) {
  const std::vector<Augmentation> steps = {{Augmentation::Kind::PadCrop, 4}, {Augmentation::Kind::Flip, 0}};
  std::map<int64_t, int> down, right;
  int mirrored = 0;
  for (int sample = 0; sample < 9000; ++sample) {
    const View view = drawView(steps, 3, 5, sample, 32);
    ++down[view.down];
    ++right[view.mirrored ? 31 - view.right : -view.right];
    mirrored += view.mirrored;
  }
  ASSERT_EQ(down.size(), 9u);
  EXPECT_EQ(down.begin()->first, -4);
  for (auto &[offset, times] : down)
    EXPECT_NEAR(times, 1000, 150);
  EXPECT_NEAR(mirrored, 4500, 250);
  const View again = drawView(steps, 3, 5, 17, 32), later = drawView(steps, 3, 6, 17, 32);
  EXPECT_EQ(again.down, drawView(steps, 3, 5, 17, 32).down);
  EXPECT_TRUE(again.down != later.down || again.right != later.right || again.mirrored != later.mirrored);
}

/// One channel, one row 1 2 3 4, seen through a view; 0 is black.
std::vector<float> seen(const View &view) {
  const Tensor image{"image", ElementType::F32, {1, 1, 1, 4}, LayoutKind::Dense, 0, 0};
  const BatchWriter writer(image, {{0.0}, {1 / 255.0}});
  const uint8_t pixels[] = {1, 2, 3, 4};
  std::vector<float> out(4, -1);
  writer.writePixels(out.data(), 0, pixels, view);
  for (float &value : out)
    value = std::round(value);
  return out;
}

TEST(Augment, MovesAndMirrorsPixels) {
  EXPECT_EQ(seen({0, 0, false}), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(seen({0, 1, false}), (std::vector<float>{2, 3, 4, 0}));
  EXPECT_EQ(seen({0, -2, false}), (std::vector<float>{0, 0, 1, 2}));
  EXPECT_EQ(seen({0, 3, true}), (std::vector<float>{4, 3, 2, 1}));
  EXPECT_EQ(seen({0, 2, true}), (std::vector<float>{3, 2, 1, 0}));
  EXPECT_EQ(seen({1, 0, false}), (std::vector<float>{0, 0, 0, 0}));
}

TEST(BatchWriter, NormalisesIntoEveryLayout) {
  const std::vector<int64_t> shape = {2, 3, 5, 4};
  const PixelScale scale{{0.1, 0.2, 0.3}, {0.5, 0.25, 2}};
  std::vector<uint8_t> pixels(60);
  std::iota(pixels.begin(), pixels.end(), uint8_t(100));
  const View view{1, 2, true};
  for (LayoutKind layout : {LayoutKind::Dense, LayoutKind::C16})
    for (int64_t halo : {0, 2}) {
      const Tensor image{"image", ElementType::F32, shape, layout, halo, 0};
      const StorageMap place(image.spec());
      std::vector<float> stored(place.storage(), -7), dense(place.elements());
      BatchWriter writer(image, scale);
      writer.clear(stored.data(), 0);
      writer.writePixels(stored.data(), 1, pixels.data(), view);
      place.unpack(stored.data(), dense.data());
      double rest = 0;
      for (float value : stored)
        rest += value;
      for (int64_t i = 0; i < 60; ++i) {
        const int64_t c = i / 20, y = i / 4 % 5 + 1, x = 2 - i % 4;
        const double byte = y < 5 && x >= 0 ? pixels[(c * 5 + y) * 4 + x] : 0;
        const float wanted = static_cast<float>((byte / 255 - scale.mean[c]) / scale.deviation[c]);
        EXPECT_EQ(dense[60 + i], wanted);
        EXPECT_EQ(dense[i], 0);
        rest -= dense[60 + i];
      }
      EXPECT_NEAR(rest, 0, 1e-5) << "halo and padding are zero";
    }
}

} // namespace
