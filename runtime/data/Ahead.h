//===- Ahead.h - Batches made before they are asked for ---------*- C++ -*-===//
//
// A ring of batches that threads of its own fill slot by slot, in order, as far ahead
// as there is room. Which thread fills which slot is open.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DATA_AHEAD_H
#define RESIN_RUNTIME_DATA_AHEAD_H

#include "support/Status.h"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace resin::runtime {

/// Images in the network's layout, and their labels.
struct Batch {
  std::vector<float> images;
  std::vector<int32_t> labels;
};

class Ahead {
public:
  /// Fills a slot of batch number `batch`; `room` is the thread's own.
  using Fill = std::function<Status(int64_t batch, int64_t slot, Batch &into, std::vector<uint8_t> &room)>;

  struct Shape {
    int64_t slots; ///< of a batch
    int64_t imageFloats;
    int64_t depth; ///< batches that may be whole and not yet asked for
    unsigned threads;
  };

  /// `enter` is the first thing that each thread does. There are fewer threads where the system gives no more.
  Ahead(const Shape &shape, Fill fill, const std::function<void()> &enter);
  ~Ahead();
  Ahead(const Ahead &) = delete;

  bool hasThreads() const { return !threads.empty(); }
  /// From now on `batches` of a new pass are made, from number 0 on. What was made of the one before is dropped.
  void begin(int64_t batches);
  /// Waits until the next batch is whole. It stays as it is until the next call.
  StatusOr<const Batch *> next();

private:
  /// A place in the ring.
  struct Place {
    Batch batch;
    int64_t left = 0; ///< slots that are not filled
    std::vector<Status> status;
  };

  void startThreads(const std::function<void()> &enter);
  void work();
  Status fillSlot(int64_t batch, int64_t slot, std::vector<uint8_t> &room);
  bool takeSlot(std::unique_lock<std::mutex> &lock, int64_t &slot);
  Place &placeOf(int64_t batch) { return ring[static_cast<size_t>(batch % static_cast<int64_t>(ring.size()))]; }

  const Shape shape;
  const Fill fill;
  std::mutex mutex;
  std::condition_variable hasWork, isWhole;
  std::vector<Place> ring;
  int64_t batches = 0; ///< of the pass
  int64_t taken = 0;   ///< slots that threads have taken, of all batches
  int64_t given = 0;   ///< batches that were asked for
  int64_t busy = 0;    ///< threads that fill a slot
  bool leaving = false;
  std::vector<std::thread> threads;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DATA_AHEAD_H
