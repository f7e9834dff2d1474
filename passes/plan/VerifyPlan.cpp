//===- VerifyPlan.cpp - Check a memory plan by other means than it was made ===//
//
// At no time do two places that are needed have a byte in common. A transient place is
// needed from the first region that uses it to the last, or if a serial loop has it for
// itself, from step to step there. Scratch is held apart likewise in each loop. Named places overlap no transient one,
// and each other only if they have the same name in different functions. Variables overlap nothing, but those that
// @prepare writes may overlap transients of @train_step, which has no use for them.
//
//===----------------------------------------------------------------------===//

#include "passes/EntryPoints.h"
#include "passes/KernelPasses.h"

#include "dialects/Kernel/KernelRows.h"

#include "llvm/ADT/MapVector.h"

#include <map>

namespace resin {
#define GEN_PASS_DEF_VERIFYPLAN
#include "passes/KernelPasses.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::kernel;

namespace {

constexpr int64_t kAlways = std::numeric_limits<int64_t>::min(), kForEver = std::numeric_limits<int64_t>::max();

/// Bytes that are needed for a while.
struct Extent {
  Operation *place;
  int64_t begin, end;
  int64_t first = kAlways, last = kForEver; ///< the time: regions of a function or steps of a loop

  bool overlaps(const Extent &other) const { return begin < other.end && other.begin < end; }
};

using Clash = std::optional<std::pair<Extent, Extent>>;

/// Two of the extents that share a byte at some time. Runs through time and keeps what stands there sorted by bytes:
/// what comes anew could only overlap its neighbours.
Clash findClash(SmallVector<Extent> extents) {
  llvm::stable_sort(extents, [](const Extent &a, const Extent &b) { return a.first < b.first; });
  std::map<int64_t, const Extent *> standing; // by begin
  std::multimap<int64_t, int64_t> leaving;    // last time to begin
  for (const Extent &extent : extents) {
    while (!leaving.empty() && leaving.begin()->first < extent.first) {
      standing.erase(leaving.begin()->second);
      leaving.erase(leaving.begin());
    }
    auto behind = standing.lower_bound(extent.begin);
    if (behind != standing.end() && behind->second->overlaps(extent))
      return std::pair(*behind->second, extent);
    if (behind != standing.begin() && std::prev(behind)->second->overlaps(extent))
      return std::pair(*std::prev(behind)->second, extent);
    standing.emplace(extent.begin, &extent);
    leaving.emplace(extent.last, extent.begin);
  }
  return std::nullopt;
}

/// The launches and copies that touch the view or a part of it.
SmallVector<Operation *> worksOn(Value view) {
  SmallVector<Operation *> works;
  for (Operation *user : view.getUsers()) {
    if (auto slice = dyn_cast<SliceOp>(user))
      llvm::append_range(works, slice->getUsers());
    else
      works.push_back(user);
  }
  return works;
}

/// Numbers a function's regions, and the steps of each loop.
struct Times {
  explicit Times(func::FuncOp function) {
    int64_t region = 0;
    for (Operation &op : function.front()) {
      op.walk([&](ParallelOp loop) {
        regionOf[loop] = region;
        for (auto [step, work] : llvm::enumerate(*loop.block()))
          stepOf[&work] = step;
      });
      ++region;
    }
  }

  void setRegions(Extent &extent, ArrayRef<Operation *> works) {
    setLife(extent, works, [&](Operation *work) { return regionOf.lookup(work->getParentOp()); });
  }
  void setSteps(Extent &extent, ArrayRef<Operation *> works) {
    setLife(extent, works, [&](Operation *work) { return stepOf.lookup(work); });
  }

  llvm::DenseMap<Operation *, int64_t> regionOf, stepOf;

private:
  /// From the first to the last of the works. What nobody uses has a moment for itself: it only has to keep off what
  /// lasts.
  void setLife(Extent &extent, ArrayRef<Operation *> works, function_ref<int64_t(Operation *)> timeOf) {
    if (works.empty()) {
      extent.first = extent.last = --unused;
      return;
    }
    extent.first = kForEver, extent.last = kAlways;
    for (Operation *work : works) {
      extent.first = std::min(extent.first, timeOf(work));
      extent.last = std::max(extent.last, timeOf(work));
    }
  }

  int64_t unused = 0;
};

/// The loop of one piece that does all works; null if there is none.
ParallelOp serialLoopOf(ArrayRef<Operation *> works) {
  auto loop = works.empty() ? ParallelOp() : dyn_cast<ParallelOp>(works.front()->getParentOp());
  if (!loop)
    return {};
  const bool isSole = llvm::all_of(works, [&](Operation *work) { return work->getParentOp() == loop; });
  return isSole && loop.getPieces() == 1 ? loop : ParallelOp();
}

/// What a serial loop has for itself, as its region sees it: each byte once, whatever the step.
SmallVector<Extent> unite(SmallVector<Extent> local, int64_t region) {
  llvm::sort(local, [](const Extent &a, const Extent &b) { return a.begin < b.begin; });
  SmallVector<Extent> united;
  for (Extent extent : local) {
    extent.first = extent.last = region;
    if (united.empty() || !united.back().overlaps(extent))
      united.push_back(extent);
    else
      united.back().end = std::max(united.back().end, extent.end);
  }
  return united;
}

/// As above, for what lasts and the transient places of one function.
Clash findClash(ArrayRef<Extent> lasting, ArrayRef<Extent> transient, Times &times) {
  SmallVector<Extent> all(lasting);
  llvm::MapVector<Operation *, SmallVector<Extent>> local; // by serial loop
  for (Extent extent : transient) {
    SmallVector<Operation *> works = worksOn(extent.place->getResult(0));
    if (ParallelOp loop = serialLoopOf(works)) {
      times.setSteps(extent, works);
      local[loop].push_back(extent);
      continue;
    }
    times.setRegions(extent, works);
    all.push_back(extent);
  }
  for (auto &[loop, extents] : local) {
    if (Clash clash = findClash(extents))
      return clash;
    llvm::append_range(all, unite(extents, times.regionOf.lookup(loop)));
  }
  return findClash(std::move(all));
}

struct VerifyPlan : resin::impl::VerifyPlanBase<VerifyPlan> {
  void runOnOperation() override;

private:
  bool note(Operation *place, std::optional<int64_t> offset, ViewType view, int64_t limit,
            SmallVectorImpl<Extent> &ranges);
};

} // namespace

bool VerifyPlan::note(Operation *place, std::optional<int64_t> offset, ViewType view, int64_t limit,
                      SmallVectorImpl<Extent> &ranges) {
  if (!offset) {
    place->emitOpError("has no offset");
    return false;
  }
  if (*offset < 0 || *offset % 64 || *offset + view.bytes() > limit) {
    place->emitOpError("at ") << *offset << " with " << view.bytes() << " bytes is not on a multiple of 64 within "
                              << limit;
    return false;
  }
  ranges.push_back({place, *offset, *offset + view.bytes()});
  return true;
}

/// Says so at the later of the two.
static bool complain(const Clash &clash) {
  if (!clash)
    return false;
  auto [a, b] = *clash;
  const bool sameBlock = a.place->getBlock() == b.place->getBlock();
  if (sameBlock ? b.place->isBeforeInBlock(a.place) : isa<VariableOp>(b.place))
    std::swap(a, b);
  InFlightDiagnostic error = b.place->emitOpError("at bytes ")
                             << b.begin << " to " << b.end << " overlaps a place that is needed at the same time";
  error.attachNote(a.place->getLoc()) << "which stands at bytes " << a.begin << " to " << a.end;
  return true;
}

void VerifyPlan::runOnOperation() {
  ModuleOp module = getOperation();
  auto arena = module->getAttrOfType<IntegerAttr>("kernel.arena_bytes");
  auto scratch = module->getAttrOfType<IntegerAttr>("kernel.scratch_bytes");
  if (!arena || !scratch) {
    module.emitError("memory is not planned");
    return signalPassFailure();
  }
  if (failed(checkEntries(module)))
    return signalPassFailure();
  bool sound = true;
  const SymbolTable symbols(module);

  SmallVector<Extent> lasting, prepared;
  for (auto variable : module.getOps<VariableOp>())
    sound &= note(variable, variable.getOffset(), variable.getType(), arena.getInt(),
                  variable.getRole() == "prepared" ? prepared : lasting);
  for (auto function : module.getOps<func::FuncOp>()) {
    Times times(function);
    SmallVector<Extent> ranges = lasting, transient;
    if (function.getName() != kTrainStep)
      llvm::append_range(ranges, prepared);
    for (auto slot : function.getOps<SlotOp>())
      if (auto variable = symbols.lookup<VariableOp>(slot.getVariable());
          variable && function.getName() == kTrainStep && variable.getRole() == "prepared") {
        slot.emitOpError("of a prepared variable, which @train_step may overwrite");
        sound = false;
      }
    for (Operation &op : function.front()) {
      if (auto place = dyn_cast<ArgumentOp>(op))
        sound &= note(place, place.getOffset(), place.getView().getType(), arena.getInt(), ranges);
      else if (auto place = dyn_cast<ResultOp>(op))
        sound &= note(place, place.getOffset(), place.getView().getType(), arena.getInt(), ranges);
      else if (auto place = dyn_cast<AllocOp>(op))
        sound &= note(place, place.getOffset(), place.getView().getType(), arena.getInt(), transient);
    }
    sound = sound && !complain(findClash(ranges, transient, times));
    function.walk([&](ParallelOp loop) {
      SmallVector<Extent> inside;
      for (auto place : loop.block()->getOps<ScratchOp>()) {
        sound &= note(place, place.getOffset(), place.getView().getType(), scratch.getInt(), inside);
        if (sound)
          times.setSteps(inside.back(), worksOn(place.getView()));
      }
      sound = sound && !complain(findClash(std::move(inside)));
    });
  }
  if (!sound)
    signalPassFailure();
}
