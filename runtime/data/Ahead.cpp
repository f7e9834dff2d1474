//===- Ahead.cpp - Batches made before they are asked for -----------------===//
//
// One lock guards all but the slots themselves. It is taken once a slot, and slots
// are slow: that is why there is somebody ahead.
//
//===----------------------------------------------------------------------===//

#include "runtime/data/Ahead.h"

#include <cassert>
#include <new>
#include <system_error>

using namespace resin;
using namespace resin::runtime;

Ahead::Ahead(const Shape &shape, Fill fill, const std::function<void()> &enter)
    : shape(shape), fill(std::move(fill)), ring(static_cast<size_t>(shape.depth) + 1) {
  for (Place &place : ring) {
    place.batch.images.resize(static_cast<size_t>(shape.slots * shape.imageFloats));
    place.batch.labels.resize(static_cast<size_t>(shape.slots));
    place.status.resize(static_cast<size_t>(shape.slots));
  }
  startThreads(enter);
}

void Ahead::startThreads(const std::function<void()> &enter) {
  try {
    for (unsigned i = 0; i < shape.threads; ++i)
      threads.emplace_back([this, enter] {
        enter();
        work();
      });
  } catch (const std::system_error &) { // those that there are will do
  }
}

Ahead::~Ahead() {
  {
    const std::lock_guard lock(mutex);
    leaving = true;
  }
  hasWork.notify_all();
  for (std::thread &thread : threads)
    thread.join();
}

void Ahead::begin(int64_t count) {
  std::unique_lock lock(mutex);
  batches = 0; // nobody takes a slot more
  isWhole.wait(lock, [&] { return busy == 0; });
  batches = count;
  taken = given = 0;
  for (Place &place : ring)
    place.left = shape.slots;
  hasWork.notify_all();
}

StatusOr<const Batch *> Ahead::next() {
  std::unique_lock lock(mutex);
  assert(given < batches && "the pass has another batch");
  if (given > 0)
    placeOf(given - 1).left = shape.slots; // it is free again
  const int64_t wanted = given++;
  hasWork.notify_all();
  Place &place = placeOf(wanted);
  isWhole.wait(lock, [&] { return place.left == 0; });
  for (const Status &status : place.status)
    if (status.failed())
      return status;
  return &place.batch;
}

/// Waits for a slot that may be filled; false when the threads are to leave.
bool Ahead::takeSlot(std::unique_lock<std::mutex> &lock, int64_t &slot) {
  // The batch that was given last is in use; those behind it, as many as the ring has, may be filled.
  auto mayTake = [&] { return taken < batches * shape.slots && taken / shape.slots < given + shape.depth; };
  hasWork.wait(lock, [&] { return leaving || mayTake(); });
  if (leaving)
    return false;
  slot = taken++;
  ++busy;
  return true;
}

Status Ahead::fillSlot(int64_t batch, int64_t slot, std::vector<uint8_t> &room) {
  try {
    return fill(batch, slot, placeOf(batch).batch, room);
  } catch (const std::bad_alloc &) {
    return {ExitCode::NoMemory, "out of memory"};
  }
}

void Ahead::work() {
  std::vector<uint8_t> room;
  std::unique_lock lock(mutex);
  for (int64_t slot = 0; takeSlot(lock, slot);) {
    const int64_t batch = slot / shape.slots, index = slot % shape.slots;
    lock.unlock();
    Status status = fillSlot(batch, index, room);
    lock.lock();
    Place &place = placeOf(batch);
    place.status[static_cast<size_t>(index)] = std::move(status);
    --busy;
    if (--place.left == 0 || busy == 0)
      isWhole.notify_all();
  }
}
