//===- RuntimeDeviceTest.cpp - Host and device ----------------------------===//
//
// A device with memory of its own, which the host sees through uploads and downloads
// alone, computes what the CPU computes: nobody goes past the seam.
//
//===----------------------------------------------------------------------===//

#include "runtime/data/ImageSet.h"
#include "runtime/data/Loader.h"
#include "runtime/device/OpenDevice.h"
#include "runtime/train/Evaluate.h"
#include "runtime/train/Initialize.h"
#include "test/unit/ProgramDouble.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace resin;
using namespace resin::runtime;

namespace {

/// The CPU behind a wall: what the host writes or reads are copies, and those are spoilt when they are old.
class Distant final : public Device {
public:
  explicit Distant(std::unique_ptr<Device> cpu) : cpu(std::move(cpu)) {}

  Status allocate(const Manifest &manifest) override {
    written.resize(manifest.arenaBytes);
    readBack.resize(manifest.arenaBytes);
    return cpu->allocate(manifest);
  }
  char *staging(uint64_t offset, uint64_t bytes) override {
    std::memset(written.data() + offset, 0x7f, bytes);
    return written.data() + offset;
  }
  void upload(uint64_t offset, uint64_t bytes) override {
    cpu->wait();
    std::memcpy(cpu->staging(offset, bytes), written.data() + offset, bytes);
    ++uploads;
  }
  const char *download(uint64_t offset, uint64_t bytes) override {
    EXPECT_FALSE(isRunning) << "read before the device was done";
    std::memcpy(readBack.data() + offset, cpu->download(offset, bytes), bytes);
    return readBack.data() + offset;
  }
  void run(const ResinFunction &entry) override {
    std::fill(readBack.begin(), readBack.end(), char(0x7f));
    cpu->run(entry);
    isRunning = true;
  }
  void wait() override {
    cpu->wait();
    isRunning = false;
  }
  uint64_t clock() const override { return cpu->clock(); }
  ResinCounter counter(size_t kernel) const override { return cpu->counter(kernel); }
  double measurePeak() override { return cpu->measurePeak(); }
  MachinePeaks measurePeaks() override { return cpu->measurePeaks(); }
  ThreadPool &workers() override { return cpu->workers(); }

  int uploads = 0;

private:
  std::unique_ptr<Device> cpu;
  std::vector<char> written, readBack;
  bool isRunning = false;
};

ImageSet makeImages() {
  ImageSet set;
  set.shape = {3, 32, 32};
  for (int64_t i = 0; i < 40; ++i) {
    set.labels.push_back(static_cast<int32_t>(i % 10));
    for (int64_t p = 0; p < set.imageBytes(); ++p)
      set.pixels.push_back(static_cast<uint8_t>(i * 31 + p * 7));
  }
  return set;
}

/// All variables after two updates, and the score on the images.
std::pair<std::vector<std::vector<float>>, Score> train(Model &model) {
  const ImageSet images = makeImages();
  const PixelScale scale{{0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}};
  initialize(model, 3);
  const Function &step = *model.function("train_step");
  Loader loader(model, step, images, scale);
  loader.begin({filesOrder(32), 0, {}});
  for (int i = 0; i < 2; ++i) {
    const float rate = 0.01f;
    EXPECT_TRUE(loader.next().ok());
    model.write<float>(*step.argument("learning_rate"), {&rate, 1});
    model.call(step);
  }
  std::pair<std::vector<std::vector<float>>, Score> result;
  for (const Variable &variable : model.manifest().variables)
    if (variable.role != Role::Prepared)
      result.first.push_back(model.elements(variable));
  result.second = *evaluate(model, images, scale);
  return result;
}

TEST(Device, OneWithMemoryOfItsOwnComputesTheSame) {
  const auto near = train(**Model::load(resin_program, 2));
  auto device = std::make_unique<Distant>(openDevice(resin_program, 2));
  Distant &distant = *device;
  const StatusOr<std::unique_ptr<Model>> model = Model::load(resin_program, std::move(device));
  ASSERT_TRUE(model.ok()) << model.status().message();
  const auto far = train(**model);
  EXPECT_EQ(near.first, far.first);
  EXPECT_EQ(near.second.loss, far.second.loss);
  EXPECT_EQ(near.second.top5, far.second.top5);
  EXPECT_GT(distant.uploads, 10);
}

TEST(Device, OnTheCpuWritingIsUploading) {
  const std::unique_ptr<Model> model = std::move(*Model::load(resin_program, 1));
  const Tensor &label = *model->function("train_step")->argument("label");
  EXPECT_EQ(static_cast<const void *>(model->staging<int32_t>(label)),
            static_cast<const void *>(model->device().download(label.offset, label.bytes)));
}

TEST(Device, CountsCallsAndTicks) {
  const std::unique_ptr<Model> model = std::move(*Model::load(resin_program, 2));
  const uint64_t before = model->device().clock();
  train(*model);
  const ResinCounter counter = model->device().counter(0);
  EXPECT_GT(counter.calls, 0u);
  EXPECT_GT(counter.ticks, 0u);
  EXPECT_LT(counter.ticks, 2 * (model->device().clock() - before)) << "ticks are of the device's clock";
}

} // namespace
