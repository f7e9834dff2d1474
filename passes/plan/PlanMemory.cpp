//===- PlanMemory.cpp - Give every view a place in the arena --------------===//
//
//   1. Variables stand first, then arguments and results: all keep their places.
//   2. Count the parallel regions of a function; a transient place lives from the
//      first to the last that touches it. One that a single serial loop has for itself
//      lives from launch to launch within.
//   3. Place the transients of each function behind the named places, scratch within
//      each worker's.
//   4. Place what @prepare hands over behind the transients of all functions but
//      @train_step, whose transients may lie there: a step changes the weights, so that
//      it is out of date anyway.
//
// `strategy=none` places everything apart.
//
//===----------------------------------------------------------------------===//

#include "passes/EntryPoints.h"
#include "passes/KernelPasses.h"
#include "passes/plan/Placement.h"

#include "dialects/Kernel/KernelRows.h"

#include "llvm/ADT/MapVector.h"

#include <map>

namespace resin {
#define GEN_PASS_DEF_PLANMEMORY
#include "passes/KernelPasses.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::kernel;

namespace {

/// The time during which a place is needed.
struct Life {
  int64_t bytes = 0;
  int64_t first = std::numeric_limits<int64_t>::max(), last = -1; ///< regions
  Operation *loop = nullptr; ///< set if that loop of one piece has the place for itself:
  int64_t firstStep = 0, lastStep = 0;                            ///< its steps there

  bool isUsed() const { return last >= 0; }
  bool meets(const Life &other) const {
    if (!isUsed() || !other.isUsed() || last < other.first || other.last < first)
      return false;
    bool sameSerialLoop = loop && loop == other.loop;
    return !sameSerialLoop || !(lastStep < other.firstStep || other.lastStep < firstStep);
  }
};

struct PlanMemory : resin::impl::PlanMemoryBase<PlanMemory> {
  using PlanMemoryBase::PlanMemoryBase;
  void runOnOperation() override;

private:
  void placeVariables();
  void placePrepared();
  template <typename PlaceOp> void placeNamed();
  int64_t placeTransients(func::FuncOp function);
  void placeScratch(ParallelOp loop);

  int64_t reserve(int64_t bytes) {
    int64_t at = alignUp(end, kPlaceAlignment);
    end = at + rounded(bytes);
    return at;
  }
  int64_t rounded(int64_t bytes) const {
    int64_t lines = alignUp(bytes, kPlaceAlignment) / kPlaceAlignment;
    return (skew ? lines | 1 : lines) * kPlaceAlignment;
  }
  Placement placeLives(ArrayRef<Life> lives);
  IntegerAttr bytesAttr(int64_t bytes) { return IntegerAttr::get(IntegerType::get(&getContext(), 64), bytes); }

  int64_t end = 0; ///< of what keeps its place
  int64_t scratchBytes = 0;
  std::map<std::string, int64_t> bytesOfRole;
  SmallVector<NamedAttribute> transients, lowerBounds;
};

} // namespace

//===----------------------------------------------------------------------===//
// 1. Places that stay
//===----------------------------------------------------------------------===//

static bool isPrepared(VariableOp variable) { return variable.getRole() == "prepared"; }

void PlanMemory::placeVariables() {
  for (auto variable : getOperation().getOps<VariableOp>()) {
    int64_t bytes = variable.getType().bytes();
    bytesOfRole[variable.getRole().str()] += bytes;
    if (!isPrepared(variable))
      variable.setOffset(reserve(bytes));
  }
}

/// Whether a halo of zeros and the elements of both stand alike, image by image.
static bool canShare(ViewType a, ViewType b) {
  if (a.getElementType() != b.getElementType() || a.getLayout() != b.getLayout() || a.getHalo() != b.getHalo() ||
      a.getShape().size() != b.getShape().size())
    return false;
  return a.getShape().empty() || a.getShape().drop_front() == b.getShape().drop_front();
}

template <typename PlaceOp> void PlanMemory::placeNamed() {
  // Functions do not run at once, so places of the same name may be the same place: as large as the largest.
  struct Shared {
    SmallVector<PlaceOp> users;
    int64_t bytes = 0;
  };
  llvm::MapVector<StringRef, SmallVector<Shared>> byName;
  getOperation().walk([&](PlaceOp place) {
    SmallVector<Shared> &candidates = byName[place.getName()];
    ViewType view = place.getView().getType();
    auto fits = [&](Shared &shared) { return canShare(shared.users.front().getView().getType(), view); };
    auto known = llvm::find_if(candidates, fits);
    Shared &shared = known != candidates.end() ? *known : candidates.emplace_back();
    shared.users.push_back(place);
    shared.bytes = std::max(shared.bytes, view.bytes());
  });
  for (auto &[name, candidates] : byName)
    for (Shared &shared : candidates) {
      int64_t at = reserve(shared.bytes);
      for (PlaceOp place : shared.users)
        place.setOffset(at);
    }
}

//===----------------------------------------------------------------------===//
// 2. Lives
//===----------------------------------------------------------------------===//

/// The view behind a part of it.
static Value wholeOf(Value view) {
  auto slice = view.getDefiningOp<SliceOp>();
  return slice ? slice.getView() : view;
}

static bool isWork(Operation &op) { return isa<LaunchOp, CopyOp>(op); }

/// Lives of what PlaceOp makes, by the steps of one loop.
static void countSteps(ParallelOp loop, function_ref<void(Value, int64_t)> touch) {
  for (auto [step, work] : llvm::enumerate(llvm::make_filter_range(*loop.block(), isWork)))
    for (Value view : work.getOperands())
      touch(wholeOf(view), step);
}

static llvm::MapVector<Value, Life> livesOf(func::FuncOp function) {
  llvm::MapVector<Value, Life> lives;
  for (auto alloc : function.getOps<AllocOp>())
    lives[alloc].bytes = alloc.getView().getType().bytes();
  int64_t region = 0;
  for (Operation &op : function.front()) {
    if (!isa<ParallelOp, SectionsOp>(op))
      continue;
    op.walk([&](ParallelOp loop) {
      countSteps(loop, [&](Value view, int64_t step) {
        auto entry = lives.find(view);
        if (entry == lives.end())
          return;
        Life &life = entry->second;
        if (!life.isUsed()) {
          life.first = region;
          life.loop = loop.getPieces() == 1 ? loop.getOperation() : nullptr;
          life.firstStep = step;
        }
        if (life.loop != loop)
          life.loop = nullptr;
        life.last = region;
        life.lastStep = step;
      });
    });
    ++region;
  }
  return lives;
}

/// The largest sum of changes up to some time.
static int64_t peakOf(const std::map<int64_t, int64_t> &changes) {
  int64_t now = 0, most = 0;
  for (auto [time, change] : changes)
    most = std::max(most, now += change);
  return most;
}

/// The most bytes that are needed at once. Within a serial loop of a region counts its worst step.
static int64_t lowerBoundOf(ArrayRef<Life> lives) {
  struct Serial {
    int64_t region = 0;
    std::map<int64_t, int64_t> changes; // by step
  };
  llvm::MapVector<Operation *, Serial> loops;
  std::map<int64_t, int64_t> changes; // by region
  for (const Life &life : lives) {
    if (!life.isUsed())
      continue;
    if (!life.loop) {
      changes[life.first] += life.bytes;
      changes[life.last + 1] -= life.bytes;
      continue;
    }
    Serial &serial = loops[life.loop];
    serial.region = life.first;
    serial.changes[life.firstStep] += life.bytes;
    serial.changes[life.lastStep + 1] -= life.bytes;
  }
  for (const auto &[loop, serial] : loops) {
    const int64_t most = peakOf(serial.changes);
    changes[serial.region] += most;
    changes[serial.region + 1] -= most;
  }
  return peakOf(changes);
}

//===----------------------------------------------------------------------===//
// 3. Places that are needed for a while
//===----------------------------------------------------------------------===//

Placement PlanMemory::placeLives(ArrayRef<Life> lives) {
  std::vector<int64_t> sizes;
  for (const Life &life : lives)
    sizes.push_back(life.isUsed() ? rounded(life.bytes) : 0);
  bool apart = strategy == "none";
  return place(sizes, [&](size_t a, size_t b) { return apart || lives[a].meets(lives[b]); });
}

int64_t PlanMemory::placeTransients(func::FuncOp function) {
  llvm::MapVector<Value, Life> lives = livesOf(function);
  SmallVector<Life> list;
  for (auto &[view, life] : lives)
    list.push_back(life);
  Placement placement = placeLives(list);
  llvm::DenseSet<int64_t> taken;
  for (auto [entry, offset] : llvm::zip_equal(lives, placement.offsets)) {
    entry.first.getDefiningOp<AllocOp>().setOffset(end + offset);
    ++numPlaces;
    numShared += !taken.insert(offset).second;
  }
  StringAttr name = function.getNameAttr();
  transients.emplace_back(name, bytesAttr(placement.bytes));
  lowerBounds.emplace_back(name, bytesAttr(lowerBoundOf(list)));
  return placement.bytes;
}

void PlanMemory::placeScratch(ParallelOp loop) {
  llvm::MapVector<Value, Life> lives;
  for (auto scratch : loop.block()->getOps<ScratchOp>())
    lives[scratch].bytes = scratch.getView().getType().bytes();
  countSteps(loop, [&](Value view, int64_t step) {
    auto entry = lives.find(view);
    if (entry == lives.end())
      return;
    entry->second.first = std::min(entry->second.first, step);
    entry->second.last = step;
  });
  SmallVector<Life> list;
  for (auto &[view, life] : lives)
    list.push_back(life);
  Placement placement = placeLives(list);
  for (auto [entry, offset] : llvm::zip_equal(lives, placement.offsets))
    entry.first.getDefiningOp<ScratchOp>().setOffset(offset);
  scratchBytes = std::max(scratchBytes, placement.bytes);
}

//===----------------------------------------------------------------------===//
// 4. What is prepared
//===----------------------------------------------------------------------===//

void PlanMemory::placePrepared() {
  for (auto variable : getOperation().getOps<VariableOp>())
    if (isPrepared(variable))
      variable.setOffset(reserve(variable.getType().bytes()));
}

void PlanMemory::runOnOperation() {
  if (strategy != "reuse" && strategy != "none") {
    getOperation().emitError("plan-memory knows the strategies 'reuse' and 'none', not '") << strategy << "'";
    return signalPassFailure();
  }
  if (failed(checkEntries(getOperation())))
    return signalPassFailure();
  placeVariables();
  placeNamed<ArgumentOp>();
  placeNamed<ResultOp>();
  constexpr int64_t page = 4096;
  end = alignUp(end, page);
  int64_t ofTraining = 0, ofOthers = 0;
  for (auto function : getOperation().getOps<func::FuncOp>()) {
    int64_t &most = function.getName() == kTrainStep && strategy != "none" ? ofTraining : ofOthers;
    most = std::max(most, placeTransients(function));
  }
  ofTraining += end;
  end += ofOthers;
  placePrepared();
  end = std::max(end, ofTraining);
  getOperation().walk([&](ParallelOp loop) { placeScratch(loop); });

  ModuleOp module = getOperation();
  MLIRContext *context = &getContext();
  auto named = [&](StringRef name, Attribute value) { return NamedAttribute(StringAttr::get(context, name), value); };
  module->setAttr("kernel.arena_bytes", bytesAttr(alignUp(end, page)));
  module->setAttr("kernel.scratch_bytes", bytesAttr(alignUp(scratchBytes, page)));
  module->setAttr("kernel.memory",
                  DictionaryAttr::get(context, {named("parameters", bytesAttr(bytesOfRole["parameter"])),
                                                named("statistics", bytesAttr(bytesOfRole["statistic"])),
                                                named("slots", bytesAttr(bytesOfRole["slot"])),
                                                named("prepared", bytesAttr(bytesOfRole["prepared"])),
                                                named("transients", DictionaryAttr::get(context, transients)),
                                                named("lower_bound", DictionaryAttr::get(context, lowerBounds))}));
}
