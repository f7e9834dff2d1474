//===- VerifyPlan.cpp - Check a memory plan by other means than it was made ===//
//
// For each pair of transient places of a function whose bytes overlap: all uses of one
// stand in earlier regions than all uses of the other, or both belong to one serial
// loop and stand apart there. Named places overlap no transient one, and each other
// only if they have the same name in different functions. Variables overlap nothing,
// but those that @prepare writes may overlap transients of @train_step, which has no
// use for them.
//
//===----------------------------------------------------------------------===//

#include "passes/EntryPoints.h"
#include "passes/KernelPasses.h"

#include "dialects/Kernel/KernelRows.h"

#include "llvm/ADT/MapVector.h"

namespace resin {
#define GEN_PASS_DEF_VERIFYPLAN
#include "passes/KernelPasses.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::kernel;

namespace {

struct Extent {
  Operation *place;
  int64_t begin, end;

  bool overlaps(const Extent &other) const { return begin < other.end && other.begin < end; }
};

/// The launches and copies that touch the view or a part of it, in program order by region and step.
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

/// The region's op, a direct child of the function.
Operation *regionOf(Operation *work) {
  while (!isa<func::FuncOp>(work->getParentOp()))
    work = work->getParentOp();
  return work;
}

bool isBefore(Operation *a, Operation *b) {
  Operation *regionA = regionOf(a), *regionB = regionOf(b);
  if (regionA != regionB)
    return regionA->isBeforeInBlock(regionB);
  auto loop = cast<ParallelOp>(a->getParentOp());
  return loop == b->getParentOp() && loop.getPieces() == 1 && a->isBeforeInBlock(b);
}

bool liveApart(const Extent &a, const Extent &b) {
  SmallVector<Operation *> worksA = worksOn(a.place->getResult(0)), worksB = worksOn(b.place->getResult(0));
  auto allBefore = [](ArrayRef<Operation *> first, ArrayRef<Operation *> second) {
    return llvm::all_of(first, [&](Operation *x) { return llvm::all_of(second, [&](Operation *y) { return isBefore(x, y); }); });
  };
  return allBefore(worksA, worksB) || allBefore(worksB, worksA);
}

struct VerifyPlan : resin::impl::VerifyPlanBase<VerifyPlan> {
  void runOnOperation() override;

private:
  bool note(Operation *place, std::optional<int64_t> offset, ViewType view, int64_t limit, SmallVectorImpl<Extent> &ranges);
};

} // namespace

bool VerifyPlan::note(Operation *place, std::optional<int64_t> offset, ViewType view, int64_t limit, SmallVectorImpl<Extent> &ranges) {
  if (!offset) {
    place->emitOpError("has no offset");
    return false;
  }
  if (*offset < 0 || *offset % 64 || *offset + view.bytes() > limit) {
    place->emitOpError("at ") << *offset << " with " << view.bytes() << " bytes is not on a multiple of 64 within " << limit;
    return false;
  }
  ranges.push_back({place, *offset, *offset + view.bytes()});
  return true;
}

static void complain(const Extent &a, const Extent &b) {
  InFlightDiagnostic error = a.place->emitOpError("at bytes ") << a.begin << " to " << a.end << " overlaps a place that is needed at the same time";
  error.attachNote(b.place->getLoc()) << "which stands at bytes " << b.begin << " to " << b.end;
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
  auto check = [&](ArrayRef<Extent> ranges, auto mayOverlap) {
    for (size_t i = 0; sound && i < ranges.size(); ++i)
      for (size_t j = 0; sound && j < i; ++j)
        if (ranges[i].overlaps(ranges[j]) && !mayOverlap(ranges[i], ranges[j])) {
          complain(ranges[i], ranges[j]);
          sound = false;
        }
  };

  SmallVector<Extent> lasting, prepared;
  for (auto variable : module.getOps<VariableOp>())
    sound &= note(variable, variable.getOffset(), variable.getType(), arena.getInt(), variable.getRole() == "prepared" ? prepared : lasting);
  for (auto function : module.getOps<func::FuncOp>()) {
    SmallVector<Extent> ranges = lasting;
    if (function.getName() != kTrainStep)
      llvm::append_range(ranges, prepared);
    for (auto slot : function.getOps<SlotOp>())
      if (auto variable = module.lookupSymbol<VariableOp>(slot.getVariableAttr()); variable && function.getName() == kTrainStep && variable.getRole() == "prepared") {
        slot.emitOpError("of a prepared variable, which @train_step may overwrite");
        sound = false;
      }
    for (Operation &op : function.front()) {
      if (auto place = dyn_cast<ArgumentOp>(op))
        sound &= note(place, place.getOffset(), place.getView().getType(), arena.getInt(), ranges);
      else if (auto place = dyn_cast<ResultOp>(op))
        sound &= note(place, place.getOffset(), place.getView().getType(), arena.getInt(), ranges);
      else if (auto place = dyn_cast<AllocOp>(op))
        sound &= note(place, place.getOffset(), place.getView().getType(), arena.getInt(), ranges);
    }
    check(ranges, [](const Extent &a, const Extent &b) { return isa<AllocOp>(a.place) && isa<AllocOp>(b.place) && liveApart(a, b); });
    function.walk([&](ParallelOp loop) {
      SmallVector<Extent> inside;
      for (auto place : loop.block()->getOps<ScratchOp>())
        sound &= note(place, place.getOffset(), place.getView().getType(), scratch.getInt(), inside);
      check(inside, [](const Extent &a, const Extent &b) {
        auto last = [](const Extent &range) {
          SmallVector<Operation *> works = worksOn(range.place->getResult(0));
          return std::pair(*llvm::min_element(works, [](Operation *x, Operation *y) { return x->isBeforeInBlock(y); }),
                           *llvm::max_element(works, [](Operation *x, Operation *y) { return x->isBeforeInBlock(y); }));
        };
        if (a.place->use_empty() || b.place->use_empty())
          return true;
        auto [firstA, lastA] = last(a);
        auto [firstB, lastB] = last(b);
        return lastA->isBeforeInBlock(firstB) || lastB->isBeforeInBlock(firstA);
      });
    });
  }
  if (!sound)
    signalPassFailure();
}
