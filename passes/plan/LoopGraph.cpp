//===- LoopGraph.cpp - Which loop waits for which, and when it runs -------===//

#include "passes/plan/LoopGraph.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/Support/DebugLog.h"

#include <map>

#define DEBUG_TYPE "form-pieces"

using namespace mlir;
using namespace resin;
using namespace resin::kernel;

LoopGraph::LoopGraph(func::FuncOp function) {
  collect(function);
  findDependences();
  assignLevels();
  sinkLoops();
  fillLevels();
  for (const auto &[index, loop] : llvm::enumerate(loops))
    LDBG() << "loop " << index << " of " << loop.op.getPieces() << " pieces, at " << loop.op.getLoc()
           << ", runs in level " << loop.level;
}

std::vector<SmallVector<int>> LoopGraph::levels() const {
  std::map<int, SmallVector<int>> byLevel;
  for (auto [index, loop] : llvm::enumerate(loops))
    byLevel[loop.level].push_back(index);
  std::vector<SmallVector<int>> result;
  for (auto &[level, members] : byLevel)
    result.push_back(std::move(members));
  return result;
}

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

void LoopGraph::collect(func::FuncOp function) {
  for (auto op : function.getOps<ParallelOp>()) {
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

void LoopGraph::findDependences() {
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

int LoopGraph::earliestLevel(const Loop &loop) const {
  int level = 0;
  for (auto [other, pieceByPiece] : loop.before)
    level = std::max(level, loops[other].level + (pieceByPiece ? 0 : 1));
  return level;
}

int LoopGraph::latestLevel(const Loop &loop) const {
  int level = std::numeric_limits<int>::max();
  for (auto [other, pieceByPiece] : loop.behind)
    level = std::min(level, loops[other].level - (pieceByPiece ? 0 : 1));
  return level;
}

void LoopGraph::assignLevels() {
  for (Loop &loop : loops)
    loop.level = earliestLevel(loop);
}

/// Whether running the loop later shortens more lives than it lengthens.
bool LoopGraph::makesMoreThanItEnds(int index) {
  int64_t made = 0, ended = 0;
  for (auto &[place, accesses] : loops[index].accesses) {
    if (!accesses.front().view.getDefiningOp<AllocOp>())
      continue;
    int64_t bytes = cast<ViewType>(accesses.front().view.getType()).bytes();
    bool writes = llvm::any_of(accesses, [](const Access &access) { return access.writes; });
    bool isLast = llvm::all_of(touching[place],
                               [&](int other) { return other == index || loops[other].level <= loops[index].level; });
    made += writes ? bytes : 0;
    ended += !writes && isLast ? bytes : 0;
  }
  return made >= ended;
}

void LoopGraph::sinkLoops() {
  for (int index = loops.size() - 1; index >= 0; --index) {
    Loop &loop = loops[index];
    if (loop.behind.empty())
      continue;
    const int latest = latestLevel(loop);
    if (latest <= loop.level)
      continue;
    const bool sinks = makesMoreThanItEnds(index);
    LDBG() << "loop " << index << " of level " << loop.level
           << (sinks ? " makes more than it ends: it sinks to level "
                     : " ends more than it makes, else it would sink to level ")
           << latest;
    if (sinks)
      loop.level = latest;
  }
}

void LoopGraph::fillLevels() {
  llvm::SmallDenseSet<int> wide;
  for (Loop &loop : loops)
    if (loop.op.getPieces() > 1)
      wide.insert(loop.level);
  auto isNarrow = [&](const Loop &loop) { return !wide.contains(loop.level); };
  auto fill = [&](Loop &loop, int level) {
    LDBG() << "loop " << &loop - loops.data() << " fills up level " << level << ", from level " << loop.level;
    loop.level = level;
  };
  // Later first: what a gradient's update reads is there already. Chains move from their end.
  for (Loop &loop : llvm::reverse(loops))
    if (isNarrow(loop) && wide.contains(loop.level + 1) && latestLevel(loop) > loop.level)
      fill(loop, loop.level + 1);
  for (Loop &loop : loops)
    if (isNarrow(loop) && wide.contains(loop.level - 1) && earliestLevel(loop) < loop.level)
      fill(loop, loop.level - 1);
}
