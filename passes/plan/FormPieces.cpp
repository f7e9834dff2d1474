//===- FormPieces.cpp - Few parallel regions, a barrier between each two --===//
//
//   1. Note for each loop which parts of which places it touches; what conflicts is
//      a dependence, piece by piece if both loops cut the place alike, else a barrier.
//   2. A loop's level is the number of barriers before it: one more than those it
//      depends on, the same for a dependence piece by piece.
//   3. A loop that makes more than it ends the life of moves down to the level of its
//      first reader: what a gradient needs again is made again then, not kept.
//   4. What stands between two barriers in single pieces, updates and copies of filters
//      above all, moves to a level beside it that has more pieces, where it fills up
//      what those leave of the workers' time; if what it depends on allows.
//   5. Loops of one level that depend on each other become one loop, and so do those
//      that read the same, if that pays; the loops of a level become one region, the
//      longest pieces first.
//   6. A place that only one loop touches becomes scratch.
//
// Levels are as early as they can be, not as the program is written: a filter's
// gradient then runs beside the small work between two layers, which alone would
// leave all workers but one idle.
//
//===----------------------------------------------------------------------===//

#include "passes/KernelPasses.h"

#include "dialects/Kernel/KernelRows.h"
#include "dialects/Resnet/Target.h"

#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"

namespace resin {
#define GEN_PASS_DEF_FORMPIECES
#include "passes/KernelPasses.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::kernel;

namespace {

/// What a place is known by: a variable's symbol, or the view itself.
using Place = const void *;

struct Access {
  Value view; ///< the whole
  int64_t dim; ///< along which it is cut; -1: not at all, or into parts that overlap
  bool writes;
};

struct Loop {
  ParallelOp op;
  llvm::MapVector<Place, SmallVector<Access, 2>> accesses;
  SmallVector<std::pair<int, bool>> before; ///< loops it depends on; whether piece by piece
  SmallVector<std::pair<int, bool>> behind; ///< those that depend on it
  int level = 0;
};

struct FormPieces : resin::impl::FormPiecesBase<FormPieces> {
  using FormPiecesBase::FormPiecesBase;
  void runOnOperation() override;

private:
  void collect();
  void findDependences();
  void assignLevels();
  void sinkLoops();
  bool makesMoreThanItEnds(int index);
  void fillLevels();
  int earliestLevel(const Loop &loop) const;
  int latestLevel(const Loop &loop) const;
  void mergeLevel(OpBuilder &b, ArrayRef<int> members);
  bool paysToShare(int first, int second, const Access &shared);
  void remark(int at, int other, const Twine &reason);
  ParallelOp mergeLoops(OpBuilder &b, ArrayRef<int> members);
  void contract();

  std::vector<Loop> loops;
  llvm::MapVector<Place, SmallVector<int>> touching; ///< place to loops, in order
};

} // namespace

//===----------------------------------------------------------------------===//
// 1. Dependences
//===----------------------------------------------------------------------===//

static Place placeOf(Value view) {
  if (auto slot = view.getDefiningOp<SlotOp>())
    return slot.getVariableAttr().getAttr().getAsOpaquePointer();
  return view.getAsOpaquePointer();
}

static Access accessOf(Value view, bool writes) {
  if (auto slice = view.getDefiningOp<SliceOp>())
    return {slice.getView(), slice.getOverlap() ? -1 : static_cast<int64_t>(slice.getDim()), writes};
  return {view, -1, writes};
}

void FormPieces::collect() {
  loops.clear();
  touching.clear();
  for (auto op : getOperation().getOps<ParallelOp>()) {
    Loop loop;
    loop.op = op;
    auto note = [&](Value view, bool writes) {
      Access access = accessOf(view, writes);
      if (!access.view.getDefiningOp<ScratchOp>())
        loop.accesses[placeOf(access.view)].push_back(access);
    };
    for (Operation &work : *op.block()) {
      if (auto launch = dyn_cast<LaunchOp>(work)) {
        llvm::for_each(launch.getInputs(), [&](Value view) { note(view, false); });
        llvm::for_each(launch.getOutputs(), [&](Value view) { note(view, true); });
      } else if (auto copy = dyn_cast<CopyOp>(work)) {
        note(copy.getFrom(), false);
        note(copy.getTo(), true);
      }
    }
    for (const auto &[place, accesses] : loop.accesses)
      touching[place].push_back(loops.size());
    loops.push_back(std::move(loop));
  }
}

enum class Conflict { None, PieceByPiece, Whole };

static Conflict conflictOf(Loop &first, Loop &second, Place place) {
  bool samePieces = first.op.getPieces() == second.op.getPieces();
  Conflict worst = Conflict::None;
  for (const Access &a : first.accesses[place])
    for (const Access &b : second.accesses[place]) {
      if (!a.writes && !b.writes)
        continue;
      bool sameParts = samePieces && (first.op.getPieces() == 1 || (a.dim == b.dim && a.dim >= 0));
      worst = std::max(worst, sameParts ? Conflict::PieceByPiece : Conflict::Whole);
    }
  return worst;
}

void FormPieces::findDependences() {
  llvm::MapVector<std::pair<int, int>, Conflict> conflicts;
  auto note = [&](int first, int second, Place place) {
    Conflict &known = conflicts.try_emplace({first, second}, Conflict::None).first->second;
    known = std::max(known, conflictOf(loops[first], loops[second], place));
  };
  // Readers do not meet each other: a place may have as many as there are layers, but few writers.
  for (auto &[place, users] : touching) {
    SmallVector<int> writers;
    for (auto [j, user] : llvm::enumerate(users)) {
      const bool writes = llvm::any_of(loops[user].accesses[place], [](const Access &access) { return access.writes; });
      for (int before : writes ? ArrayRef(users).take_front(j) : ArrayRef(writers))
        note(before, user, place);
      if (writes)
        writers.push_back(user);
    }
  }
  for (auto [pair, conflict] : conflicts) {
    bool pieceByPiece = conflict == Conflict::PieceByPiece;
    loops[pair.second].before.emplace_back(pair.first, pieceByPiece);
    loops[pair.first].behind.emplace_back(pair.second, pieceByPiece);
  }
}

//===----------------------------------------------------------------------===//
// 2. to 4. Levels
//===----------------------------------------------------------------------===//

int FormPieces::earliestLevel(const Loop &loop) const {
  int level = 0;
  for (auto [other, pieceByPiece] : loop.before)
    level = std::max(level, loops[other].level + (pieceByPiece ? 0 : 1));
  return level;
}

int FormPieces::latestLevel(const Loop &loop) const {
  int level = std::numeric_limits<int>::max();
  for (auto [other, pieceByPiece] : loop.behind)
    level = std::min(level, loops[other].level - (pieceByPiece ? 0 : 1));
  return level;
}

void FormPieces::assignLevels() {
  for (Loop &loop : loops)
    loop.level = earliestLevel(loop);
}

/// Whether running the loop later shortens more lives than it lengthens.
bool FormPieces::makesMoreThanItEnds(int index) {
  int64_t made = 0, ended = 0;
  for (auto &[place, accesses] : loops[index].accesses) {
    if (!accesses.front().view.getDefiningOp<AllocOp>())
      continue;
    int64_t bytes = cast<ViewType>(accesses.front().view.getType()).bytes();
    bool writes = llvm::any_of(accesses, [](const Access &access) { return access.writes; });
    bool isLast = llvm::all_of(touching[place], [&](int other) { return other == index || loops[other].level <= loops[index].level; });
    made += writes ? bytes : 0;
    ended += !writes && isLast ? bytes : 0;
  }
  return made >= ended;
}

void FormPieces::sinkLoops() {
  for (int index = loops.size() - 1; index >= 0; --index) {
    Loop &loop = loops[index];
    if (loop.behind.empty())
      continue;
    const int latest = latestLevel(loop);
    if (latest > loop.level && makesMoreThanItEnds(index))
      loop.level = latest;
  }
}

void FormPieces::fillLevels() {
  llvm::SmallDenseSet<int> wide;
  for (Loop &loop : loops)
    if (loop.op.getPieces() > 1)
      wide.insert(loop.level);
  auto isNarrow = [&](const Loop &loop) { return !wide.contains(loop.level); };
  // Later first: what a gradient's update reads is there already. Chains move from their end.
  for (Loop &loop : llvm::reverse(loops))
    if (isNarrow(loop) && wide.contains(loop.level + 1) && latestLevel(loop) > loop.level)
      ++loop.level;
  for (Loop &loop : loops)
    if (isNarrow(loop) && wide.contains(loop.level - 1) && earliestLevel(loop) < loop.level)
      --loop.level;
}

//===----------------------------------------------------------------------===//
// 5. Regions
//===----------------------------------------------------------------------===//

/// Moves the loops' bodies into one; each part of a view is taken once.
ParallelOp FormPieces::mergeLoops(OpBuilder &b, ArrayRef<int> members) {
  SmallVector<Location> locations;
  for (int member : members)
    locations.push_back(loops[member].op.getLoc());
  ParallelOp merged = ParallelOp::create(b, members.size() == 1 ? locations.front() : b.getFusedLoc(locations), loops[members.front()].op.getPieces());
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
// 6. Scratch
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
  collect();
  if (loops.empty())
    return;
  findDependences();
  assignLevels();
  sinkLoops();
  fillLevels();
  llvm::MapVector<int, SmallVector<int>> levels;
  for (auto [index, loop] : llvm::enumerate(loops))
    levels[loop.level].push_back(index);
  auto inOrder = levels.takeVector();
  llvm::sort(inOrder, [](const auto &x, const auto &y) { return x.first < y.first; });

  // Places first, so that every region can stand anywhere behind them.
  Block &body = getOperation().front();
  Operation *firstLoop = loops.front().op;
  for (Operation &op : llvm::make_early_inc_range(llvm::make_range(firstLoop->getIterator(), body.end())))
    if (isa<SlotOp, AllocOp, ArgumentOp, ResultOp>(op))
      op.moveBefore(firstLoop);
  OpBuilder b(body.getTerminator());
  for (auto &[level, members] : inOrder)
    mergeLevel(b, members);
  contract();
}
