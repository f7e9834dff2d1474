//===- FormPieces.cpp - Few parallel regions, a barrier between each two --===//
//
//   1. Loops get levels, between which there are barriers (LoopGraph.h).
//   2. Loops of one level that depend on each other become one loop, and so do those
//      that read the same, if that pays; the loops of a level become one region, the
//      longest pieces first.
//   3. A place that only one loop touches becomes scratch.
//
//===----------------------------------------------------------------------===//

#include "passes/KernelPasses.h"
#include "passes/plan/LoopGraph.h"

#include "dialects/Kernel/KernelRows.h"
#include "dialects/Resnet/Target.h"

#include "llvm/ADT/EquivalenceClasses.h"

namespace resin {
#define GEN_PASS_DEF_FORMPIECES
#include "passes/KernelPasses.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::kernel;

namespace {

struct FormPieces : resin::impl::FormPiecesBase<FormPieces> {
  using FormPiecesBase::FormPiecesBase;
  void runOnOperation() override;

private:
  void mergeLevel(OpBuilder &b, ArrayRef<int> members);
  bool paysToShare(int first, int second, const Access &shared);
  void remark(int at, int other, const Twine &reason);
  ParallelOp mergeLoops(OpBuilder &b, ArrayRef<int> members);
  void contract();

  std::vector<Loop> loops;
};

} // namespace

//===----------------------------------------------------------------------===//
// 2. Regions
//===----------------------------------------------------------------------===//

/// Moves the loops' bodies into one; each part of a view is taken once.
ParallelOp FormPieces::mergeLoops(OpBuilder &b, ArrayRef<int> members) {
  SmallVector<Location> locations;
  for (int member : members)
    locations.push_back(loops[member].op.getLoc());
  ParallelOp merged = ParallelOp::create(b, members.size() == 1 ? locations.front() : b.getFusedLoc(locations),
                                         loops[members.front()].op.getPieces());
  llvm::DenseMap<std::tuple<Value, int64_t, int64_t>, Value> parts; // by dimension and overlap
  for (int member : members) {
    ParallelOp loop = loops[member].op;
    loop.piece().replaceAllUsesWith(merged.piece());
    merged.block()->getOperations().splice(merged.block()->end(), loop.block()->getOperations());
    loop.erase();
  }
  for (auto slice : llvm::make_early_inc_range(merged.block()->getOps<SliceOp>())) {
    auto [known, isNew] = parts.try_emplace({slice.getView(), slice.getDim(), slice.getOverlap()}, slice);
    if (isNew)
      continue;
    slice.replaceAllUsesWith(known->second);
    slice.erase();
  }
  return merged;
}

/// Rough work of one piece: what counts is the order among neighbours. A byte costs as much as four operations.
static int64_t costOfPiece(ParallelOp loop) {
  int64_t cost = 0;
  for (auto launch : loop.block()->getOps<LaunchOp>()) {
    const KernelSpec spec = specOf(launch);
    cost += floatingPointOperations(spec) + 4 * bytesTouched(spec);
  }
  return cost;
}

static int64_t bytesOf(Value view) { return cast<ViewType>(view.getType()).bytes(); }

/// What every piece of the loop reads as a whole, its filters above all.
static int64_t bytesOfWholes(Loop &loop) {
  int64_t bytes = 0;
  for (const auto &[place, accesses] : loop.accesses)
    if (accesses.front().dim < 0 && !accesses.front().writes)
      bytes += bytesOf(accesses.front().view);
  return bytes;
}

static std::string inKib(int64_t bytes) { return std::to_string((bytes + 1023) / 1024) + " KiB"; }

/// `shared` is what both loops read alike. One loop fetches it once, but may lose filters between its launches.
bool FormPieces::paysToShare(int first, int second, const Access &shared) {
  const int64_t cache = cacheKib ? cacheKib * 1024 : resnet::machineOf(getOperation()).l2Bytes,
                pieces = loops[first].op.getPieces();
  const int64_t part = bytesOf(shared.view) / pieces;
  int64_t wholes = 0, lost = 0;
  for (int index : {first, second}) {
    const int64_t bytes = bytesOfWholes(loops[index]);
    wholes += bytes;
    lost += bytes + part <= cache ? bytes : 0; // the others are fetched for each piece either way
  }
  if (wholes + part <= cache) {
    remark(second, first,
           "reads the same " + inKib(part) + " a piece, and their " + inKib(wholes) +
               " of filters stay in cache together");
    return true;
  }
  const bool pays = part >= lost;
  remark(second, first,
         Twine(pays ? "" : "stands apart: ") + "reads the same " + inKib(part) + " a piece, and together they lose " +
             inKib(lost) + " of filters a piece");
  return pays;
}

void FormPieces::remark(int at, int other, const Twine &reason) {
  if (!report)
    return;
  loops[at].op.emitRemark() << "loop " << at << " of " << loops[at].op.getPieces() << " pieces, beside loop " << other
                            << ": " << reason;
}

void FormPieces::mergeLevel(OpBuilder &b, ArrayRef<int> members) {
  llvm::EquivalenceClasses<int> together;
  llvm::DenseMap<std::tuple<Place, int64_t, int64_t>, int> readers;
  for (int member : members) {
    Loop &loop = loops[member];
    together.insert(member);
    for (auto [other, pieceByPiece] : loop.before)
      if (loops[other].level == loop.level) {
        together.unionSets(member, other);
        remark(member, other, "goes on with each piece that the other has done, no barrier between");
      }
    if (loop.op.getPieces() == 1)
      continue; // side by side is worth more than data in cache
    for (auto &[place, accesses] : loop.accesses)
      for (const Access &access : accesses) {
        if (access.dim < 0)
          continue;
        auto [known, isNew] = readers.try_emplace({place, access.dim, loop.op.getPieces()}, member);
        if (isNew || together.isEquivalent(member, known->second))
          continue;
        if (paysToShare(known->second, member, access))
          together.unionSets(member, known->second);
      }
  }
  llvm::MapVector<int, SmallVector<int>> groups; // leader to members, in program order
  for (int member : members)
    groups[together.getLeaderValue(member)].push_back(member);

  ++numRegions;
  if (groups.size() == 1) {
    mergeLoops(b, groups.front().second);
    return;
  }
  SmallVector<Location> locations;
  for (int member : members)
    locations.push_back(loops[member].op.getLoc());
  auto sections = SectionsOp::create(b, b.getFusedLoc(locations));
  OpBuilder inside = OpBuilder::atBlockEnd(sections.block());
  SmallVector<std::tuple<int64_t, bool, ParallelOp>> merged; // the longest first, then what is cut
  for (auto &[leader, group] : groups) {
    ParallelOp loop = mergeLoops(inside, group);
    merged.emplace_back(costOfPiece(loop), loop.getPieces() > 1, loop);
  }
  llvm::stable_sort(merged, [](const auto &x, const auto &y) {
    return std::tie(std::get<0>(x), std::get<1>(x)) > std::tie(std::get<0>(y), std::get<1>(y));
  });
  for (auto &[cost, isCut, loop] : merged)
    loop->moveBefore(sections.block(), sections.block()->end());
}

//===----------------------------------------------------------------------===//
// 3. Scratch
//===----------------------------------------------------------------------===//

void FormPieces::contract() {
  for (auto alloc : llvm::make_early_inc_range(getOperation().getOps<AllocOp>())) {
    // All uses are the same part of it, in one loop.
    SliceOp first;
    bool contractible = !alloc->use_empty();
    for (Operation *user : alloc->getUsers()) {
      auto slice = dyn_cast<SliceOp>(user);
      contractible &= slice && slice.getDim() == 0 && (!first || first->getBlock() == slice->getBlock());
      if (!contractible)
        break;
      first = slice;
    }
    if (!contractible)
      continue;
    OpBuilder b(first->getBlock(), first->getBlock()->begin());
    auto scratch = ScratchOp::create(b, alloc.getLoc(), first.getPart().getType(), IntegerAttr());
    for (Operation *user : llvm::make_early_inc_range(alloc->getUsers())) {
      user->replaceAllUsesWith(ValueRange{scratch});
      user->erase();
    }
    alloc.erase();
    ++numContracted;
  }
}

void FormPieces::runOnOperation() {
  if (strategy == "none")
    return;
  if (strategy != "merge") {
    getOperation().emitError("form-pieces knows the strategies 'merge' and 'none', not '") << strategy << "'";
    return signalPassFailure();
  }
  if (!getOperation().getBody().hasOneBlock())
    return;
  LoopGraph graph(getOperation());
  if (graph.loops.empty())
    return;
  const std::vector<SmallVector<int>> levels = graph.levels();
  loops = std::move(graph.loops);

  // Places first, so that every region can stand anywhere behind them.
  Block &body = getOperation().front();
  Operation *firstLoop = loops.front().op;
  for (Operation &op : llvm::make_early_inc_range(llvm::make_range(firstLoop->getIterator(), body.end())))
    if (isa<SlotOp, AllocOp, ArgumentOp, ResultOp>(op))
      op.moveBefore(firstLoop);
  OpBuilder b(body.getTerminator());
  for (const SmallVector<int> &members : levels)
    mergeLevel(b, members);
  contract();
}
