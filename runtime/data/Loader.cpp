//===- Loader.cpp - A source's samples as batches of the network ----------===//

#include "runtime/data/Loader.h"
#include "runtime/device/cpu/ThreadPool.h"

#include <algorithm>
#include <chrono>

using namespace resin;
using namespace resin::runtime;
using Clock = std::chrono::steady_clock;

// Batches that are whole when nothing holds the threads up: one that takes twice as long as a step delays nobody.
static constexpr int64_t kDepth = 2;

Loader::Loader(Model &model, const Function &function, const Source &source, const PixelScale &scale)
    : model(model), source(source), image(*function.input()), label(function.target()), slots(function.batch),
      writer(image, scale), labels(static_cast<size_t>(slots)), rooms(model.pool().workers()) {
  if (!source.isSlow())
    return;
  auto fill = [this](int64_t batch, int64_t slot, Batch &into, std::vector<uint8_t> &room) {
    return fillSlot(pass.first + batch * slots + slot, slot, into.images.data(), into.labels.data(), room);
  };
  ahead.emplace(Ahead::Shape{slots, writer.imageStorage(), kDepth, model.pool().workers()}, fill,
                [&pool = model.pool()] { pool.stepAside(); });
  if (!ahead->hasThreads())
    ahead.reset();
}

void Loader::begin(Pass next) {
  if (ahead)
    ahead->begin(0); // nobody looks at the old pass any more
  pass = std::move(next);
  at = pass.first;
  if (ahead)
    ahead->begin((static_cast<int64_t>(pass.order.size()) - at + slots - 1) / slots);
}

Status Loader::next() {
  const Clock::time_point start = Clock::now();
  float *images = model.staging<float>(image);
  if (Status status = ahead ? copyPrepared(images) : fillInPlace(images); status.failed())
    return status;
  at += slots;
  model.upload(image);
  if (label)
    model.write<int32_t>(*label, labels);
  seconds += std::chrono::duration<double>(Clock::now() - start).count();
  return {};
}

/// Writes the sample at `place` of the order.
Status Loader::fillSlot(int64_t place, int64_t slot, float *images, int32_t *into, std::vector<uint8_t> &room) const {
  into[slot] = -1;
  if (place >= static_cast<int64_t>(pass.order.size())) {
    writer.clear(images, slot);
    return {};
  }
  const int64_t index = pass.order[static_cast<size_t>(place)];
  const StatusOr<Sample> sample = source.fill(index, room);
  if (sample.failed())
    return sample.status();
  writer.write(images, slot, *sample, pass.view ? pass.view(index) : View());
  into[slot] = sample->label;
  return {};
}

Status Loader::fillInPlace(float *images) {
  std::vector<Status> failures(static_cast<size_t>(slots));
  model.pool().run(slots, [&](int64_t slot, int64_t worker) {
    failures[slot] = fillSlot(at + slot, slot, images, labels.data(), rooms[worker]);
  });
  const auto failed = std::find_if(failures.begin(), failures.end(), [](const Status &one) { return one.failed(); });
  return failed == failures.end() ? Status() : *failed;
}

Status Loader::copyPrepared(float *images) {
  const StatusOr<const Batch *> batch = ahead->next();
  if (batch.failed())
    return batch.status();
  const int64_t size = writer.imageStorage();
  model.pool().run(slots, [&](int64_t slot, int64_t) {
    std::copy_n((*batch)->images.data() + slot * size, size, images + slot * size);
  });
  labels = (*batch)->labels;
  return {};
}
