//===- RuntimeLoaderTest.cpp - Batches of a source ------------------------===//
//
// Whoever makes a batch, the pool's workers when it is asked for or threads of the
// loader's own ahead of that, it is the same.
//
//===----------------------------------------------------------------------===//

#include "runtime/data/ImageSet.h"
#include "runtime/data/Loader.h"
#include "runtime/train/Initialize.h"
#include "test/unit/ProgramDouble.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>

using namespace resin;
using namespace resin::runtime;

namespace {

constexpr int64_t kImages = 75, kPixels = 3 * 32 * 32;

ImageSet makeImages() {
  ImageSet set;
  set.shape = {3, 32, 32};
  for (int64_t i = 0; i < kImages; ++i) {
    set.labels.push_back(static_cast<int32_t>(i % 10));
    for (int64_t p = 0; p < kPixels; ++p)
      set.pixels.push_back(static_cast<uint8_t>(i * 31 + p * 7));
  }
  return set;
}

/// The same images as those of a set, decoded on demand: some in no time, some late.
struct SlowImages final : Source {
  const ImageSet &set;
  std::set<int64_t> broken;
  mutable std::atomic<int64_t> filled{0};

  explicit SlowImages(const ImageSet &set) : set(set) {}
  std::vector<Field> fields() const override { return set.fields(); }
  int64_t size() const override { return set.size(); }
  Fingerprint fingerprint() const override { return set.fingerprint(); }
  bool isSlow() const override { return true; }

  StatusOr<Sample> fill(int64_t index, std::vector<uint8_t> &room) const override {
    std::this_thread::sleep_for(std::chrono::microseconds(index % 7 * 100));
    ++filled;
    if (broken.contains(index))
      return Status::badData("image ", index, " is broken");
    room.assign(set.image(index), set.image(index) + kPixels);
    return Sample{.pixels = room.data(), .label = set.labels[static_cast<size_t>(index)]};
  }
};

const PixelScale kScale{{0.5, 0.4, 0.3}, {0.25, 0.2, 0.3}};

Pass passOf(const Source &source, int64_t epoch, int64_t first = 0) {
  const std::vector<Augmentation> steps = {{Augmentation::Kind::PadCrop, 4}, {Augmentation::Kind::Flip, 0}};
  return {shuffled(source.size(), 5, epoch), first,
          [=](int64_t sample) { return drawView(steps, 5, epoch, sample, 32); }};
}

struct Fixture {
  std::unique_ptr<Model> model;
  const Function *step;

  explicit Fixture(unsigned threads) : model(std::move(*Model::load(resin_program, threads))) {
    step = model->function("train_step");
    initialize(*model, 1);
  }
  std::vector<float> images() { return model->read<float>(*step->argument("image")); }
  std::vector<int32_t> labels() { return model->read<int32_t>(*step->argument("label")); }

  /// All images and labels of a pass, batch after batch.
  std::pair<std::vector<float>, std::vector<int32_t>> readAll(Loader &loader, const Pass &pass) {
    std::pair<std::vector<float>, std::vector<int32_t>> all;
    loader.begin(pass);
    const int64_t count = static_cast<int64_t>(pass.order.size()) - pass.first;
    for (int64_t done = 0; done < count; done += step->batch) {
      EXPECT_TRUE(loader.next().ok());
      const std::vector<float> some = images();
      all.first.insert(all.first.end(), some.begin(), some.end());
      const std::vector<int32_t> more = labels();
      all.second.insert(all.second.end(), more.begin(), more.end());
    }
    return all;
  }
};

TEST(Loader, MakesTheSameBatchesAheadAndInPlace) {
  const ImageSet set = makeImages();
  const SlowImages slow(set);
  Fixture one(1);
  Loader inPlace(*one.model, *one.step, set, kScale);
  for (unsigned threads : {1u, 2u, 5u}) {
    Fixture many(threads);
    Loader ahead(*many.model, *many.step, slow, kScale);
    for (int64_t epoch : {0, 1})
      EXPECT_EQ(many.readAll(ahead, passOf(set, epoch)), one.readAll(inPlace, passOf(set, epoch)))
          << threads << " threads, epoch " << epoch;
  }
}

TEST(Loader, BeginsAnywhereAndDropsWhatIsLeftOfAPass) {
  const ImageSet set = makeImages();
  const SlowImages slow(set);
  Fixture one(1), two(2);
  Loader inPlace(*one.model, *one.step, set, kScale), ahead(*two.model, *two.step, slow, kScale);
  const auto whole = one.readAll(inPlace, passOf(set, 3));
  ahead.begin(passOf(set, 2));
  ASSERT_TRUE(ahead.next().ok());
  const auto rest = two.readAll(ahead, passOf(set, 3, 32));
  EXPECT_TRUE(std::equal(rest.first.begin(), rest.first.end(), whole.first.begin() + 32 * kPixels));
  EXPECT_TRUE(std::equal(rest.second.begin(), rest.second.end(), whole.second.begin() + 32));
}

TEST(Loader, FillsUpTheLastBatchWithBlackAndNoLabel) {
  const ImageSet set = makeImages();
  const SlowImages slow(set);
  for (const Source *source : {static_cast<const Source *>(&set), static_cast<const Source *>(&slow)}) {
    Fixture fixture(2);
    Loader loader(*fixture.model, *fixture.step, *source, kScale);
    const auto [images, labels] = fixture.readAll(loader, {filesOrder(kImages), 0, {}});
    ASSERT_EQ(labels.size(), 80u);
    EXPECT_EQ(labels[74], 4);
    EXPECT_TRUE(std::all_of(labels.begin() + 75, labels.end(), [](int32_t label) { return label == -1; }));
    EXPECT_TRUE(std::all_of(images.begin() + 75 * kPixels, images.end(), [](float number) { return number == 0; }));
  }
}

TEST(Loader, FailsAsTheFirstBrokenSampleOfItsBatch) {
  const ImageSet set = makeImages();
  SlowImages slow(set);
  slow.broken = {21, 30, 40};
  Fixture fixture(3);
  Loader loader(*fixture.model, *fixture.step, slow, kScale);
  loader.begin({filesOrder(kImages), 0, {}});
  EXPECT_TRUE(loader.next().ok());
  EXPECT_EQ(loader.next().message(), "image 21 is broken");
  EXPECT_EQ(loader.next().message(), "image 40 is broken");
  EXPECT_TRUE(loader.next().ok());
}

TEST(Loader, WorksAheadOfTheStepAndNoFurtherThanItHasRoom) {
  const ImageSet set = makeImages();
  const SlowImages slow(set);
  Fixture fixture(2);
  Loader loader(*fixture.model, *fixture.step, slow, kScale);
  loader.begin({filesOrder(kImages), 0, {}});
  ASSERT_TRUE(loader.next().ok());
  EXPECT_GT(loader.waited(), 0) << "nobody was ahead of the first batch";
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (slow.filled < 48 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(slow.filled, 48) << "two batches beyond the one that the step has";
}

/// Numbers that are normalised already, without labels, as `predict` reads them.
struct Numbers final : Source {
  std::vector<float> values;
  std::vector<Field> fields() const override { return {{"image", ElementType::F32, {3, 32, 32}}}; }
  int64_t size() const override { return static_cast<int64_t>(values.size()) / kPixels; }
  StatusOr<Sample> fill(int64_t index, std::vector<uint8_t> &) const override {
    return Sample{.numbers = values.data() + index * kPixels};
  }
};

TEST(Loader, TakesNumbersAsTheyAre) {
  Numbers numbers;
  for (int64_t i = 0; i < 20 * kPixels; ++i)
    numbers.values.push_back(static_cast<float>(i) / 1024);
  Fixture fixture(2);
  Loader loader(*fixture.model, *fixture.step, numbers, PixelScale());
  const auto [images, labels] = fixture.readAll(loader, {filesOrder(20), 0, {}});
  EXPECT_TRUE(std::equal(numbers.values.begin(), numbers.values.end(), images.begin()));
  EXPECT_EQ(labels[0], -1);
}

} // namespace
