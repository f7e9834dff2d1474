//===- CutPolicy.cpp - How finely work is cut into pieces -----------------===//

#include "machine/CutPolicy.h"

#include <algorithm>

namespace resin {

namespace {

/// That there is something for the workers to share.
constexpr int64_t kFewestPieces = 4;
/// Operations of a piece of a prediction, unless there are two only: a worker takes some ten microseconds.
constexpr int64_t kLeastWork = 2'000'000;

class CacheCuts : public CutPolicy {
public:
  CacheCuts(const Machine &machine, const FusionKnobs &knobs) : machine(machine), knobs(knobs) {}

  /// So that the fewest bytes come from beyond L2. What one piece costs there:
  ///   * `filterBytes`, if the filters do not stay in half of L2: each piece streams them;
  ///   * twice (written, read again) whatever of the piece's operand and result exceeds L2.
  /// Per image, many images a piece save on the first, few on the second. Of equally good numbers the largest wins.
  int64_t imagesOfPiece(int64_t images, int64_t imageBytes, int64_t filterBytes) const override {
    const int64_t cache = knobs.pieceKib << 10;
    if (filterBytes <= cache / 2)
      return largestDivisor(images, std::min(cache / 2 / imageBytes, images / kFewestPieces));
    auto cost = [&](int64_t n) { return (filterBytes + 2 * std::max<int64_t>(0, 2 * n * imageBytes - cache)) / n; };
    int64_t best = 1;
    for (int64_t n = 1; n * kFewestPieces <= images; ++n)
      if (images % n == 0 && cost(n) <= cost(best))
        best = n;
    return best;
  }

  int64_t mostPieces() const override { return knobs.mostPieces; }
  int64_t piecesByWork(int64_t operations) const override {
    return std::clamp<int64_t>(operations / kLeastWork, 2, mostPieces());
  }
  int64_t piecesByBytes(int64_t bytes) const override {
    const int64_t part = machine.l2Bytes / 2;
    return (bytes + part - 1) / part;
  }

  bool isSummedInLanes(int64_t filterBytes) const override { return filterBytes <= 4 * machine.l2Bytes; }
  int64_t lanesOf(int64_t images) const override { return largestDivisor(images, machine.cores); }
  int64_t mostLanes() const override { return machine.mostCores; }

private:
  const Machine machine;
  const FusionKnobs knobs;
};

} // namespace

std::unique_ptr<CutPolicy> cutForCaches(const Machine &machine, const FusionKnobs &knobs) {
  return std::make_unique<CacheCuts>(machine, knobs);
}

} // namespace resin
