//===- Groups.cpp - Which ops become one kernel ---------------------------===//
//
//   1. Every op starts as a group of its own.
//   2. In program order, a pointwise op or a reduction joins the groups that make
//      its operands, the latest first, where the shapes agree, at most one anchor
//      comes together, no dropout comes to a convolution, and no path leaves the
//      joined group and comes back into it. Batch norm's finish is such a path: it
//      needs the sums of all pieces. Sums of one value are made together whoever makes
//      that: the rounding of the one then cancels that of the other. A convolution's
//      kernel sums only what it stores as well.
//   3. Running averages join the finish that makes their statistic.
//   4. Sort the groups by what they depend on, otherwise by their first op.
//
//===----------------------------------------------------------------------===//

#include "passes/Groups.h"

#include "dialects/Resnet/Fusion.h"

#include <queue>

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

class Grouper {
public:
  explicit Grouper(func::FuncOp function) : epilogues(fusionKnobsOf(function).epilogues) {
    for (Operation &op : function.getBody().front().without_terminator())
      if (!isa<ReadOp, WriteOp>(op))
        start(&op);
  }

  void joinAll() {
    for (size_t i = 0, end = groups.size(); i < end; ++i)
      join(groups[i].ops.front());
  }

  SmallVector<Group> takeSorted();

private:
  static KernelRole roleOf(Operation *op) {
    auto kernel = dyn_cast<KernelOpInterface>(op);
    return kernel ? kernel.kernelRole() : KernelRole::Alone;
  }

  void start(Operation *op) {
    Group group;
    group.ops.push_back(op);
    KernelRole role = roleOf(op);
    if (role == KernelRole::Anchor || role == KernelRole::Alone)
      group.anchor = op;
    // A reduction runs over its operand.
    Value space = role == KernelRole::Reduction ? op->getOperand(0) : op->getResult(0);
    if (canBeJoined(op, role))
      group.domain.assign(shapeOf(space).begin(), shapeOf(space).end());
    if (role == KernelRole::Reduction)
      group.rows = shapeOf(op->getResult(0)).front();
    groupOf[op] = groups.size();
    groups.push_back(std::move(group));
  }

  /// Nothing rides along with an op that stands alone, or with a filter's gradient, which is summed over lanes; but
  /// running averages go with the statistics they follow.
  bool canBeJoined(Operation *op, KernelRole role) {
    if (role == KernelRole::Alone)
      return isa<BatchNormFinalizeOp, RunningAverageOp>(op);
    if (auto data = dyn_cast<Conv2dGradDataOp>(op))
      return epilogues > (hasWinogradForm(data) ? 1 : 0);
    return !isa<Conv2dGradWeightOp, LinearGradWeightOp>(op);
  }

  static bool hasWinogradForm(Conv2dGradDataOp data) {
    auto filter = cast<RankedTensorType>(data.getFilter().getType());
    auto isOne = [](int64_t i) { return i == 1; };
    return filter.getDimSize(2) == 3 && filter.getDimSize(3) == 3 && llvm::all_of(data.getStrides(), isOne) &&
           llvm::all_of(data.getDilations(), isOne) && data.getGroups() == 1;
  }

  void join(Operation *op) {
    KernelRole role = roleOf(op);
    if (role != KernelRole::Pointwise && role != KernelRole::Reduction && !isa<RunningAverageOp>(op))
      return;
    SmallVector<size_t> candidates;
    auto consider = [&](Operation *other) {
      if (auto it = groupOf.find(other); it != groupOf.end() && it->second < groupOf[op]) // those behind come to us
        candidates.push_back(it->second);
    };
    for (Value operand : op->getOperands())
      consider(operand.getDefiningOp());
    if (role == KernelRole::Reduction)
      for (Operation *user : op->getOperand(0).getUsers())
        if (roleOf(user) == KernelRole::Reduction && user->getOperand(0) == op->getOperand(0))
          consider(user);
    llvm::sort(candidates, std::greater<>());
    candidates.erase(llvm::unique(candidates), candidates.end());
    for (size_t candidate : candidates)
      if (canMerge(groupOf[op], candidate) && (role != KernelRole::Reduction || canSum(op->getOperand(0), candidate)))
        merge(groupOf[op], candidate);
  }

  /// Whether the kernel of `group` may sum `value`: that of a convolution if somebody else reads it, too.
  bool canSum(Value value, size_t group) {
    return !isa_and_nonnull<Conv2dOp, Conv2dGradDataOp>(groups[group].anchor) ||
           llvm::any_of(value.getUsers(), [](Operation *user) { return roleOf(user) != KernelRole::Reduction; });
  }

  bool canMerge(size_t a, size_t b) {
    if (a == b || groups[a].domain.empty() || groups[a].domain != groups[b].domain)
      return false;
    if (groups[a].rows && groups[b].rows && groups[a].rows != groups[b].rows)
      return false;
    if (drawsInTile(a, b) || drawsInTile(b, a))
      return false;
    bool oneAnchor = !groups[a].anchor || !groups[b].anchor || isa<RunningAverageOp>(groups[a].anchor);
    return oneAnchor && !pathAround(a, b);
  }

  /// Whether dropout would be drawn on a convolution's registers: its ten rounds are some hundred operations a vector,
  /// unrolled for each of a tile.
  bool drawsInTile(size_t convolution, size_t other) {
    return isa_and_nonnull<Conv2dOp, Conv2dGradDataOp>(groups[convolution].anchor) &&
           llvm::any_of(groups[other].ops, llvm::IsaPred<DropoutOp>);
  }

  /// Whether a path leads from one of the groups to the other, or back, through a third.
  bool pathAround(size_t a, size_t b) {
    llvm::SmallDenseSet<size_t> seen;
    SmallVector<size_t> work;
    auto visit = [&](size_t group) {
      bool isEnd = group == a || group == b;
      for (Operation *op : groups[group].ops)
        for (Value operand : op->getOperands()) {
          auto it = groupOf.find(operand.getDefiningOp());
          if (it == groupOf.end() || it->second == group)
            continue;
          bool reachesEnd = it->second == a || it->second == b;
          if (reachesEnd && !isEnd)
            return true;
          if (!reachesEnd && seen.insert(it->second).second)
            work.push_back(it->second);
        }
      return false;
    };
    visit(a);
    visit(b);
    while (!work.empty())
      if (visit(work.pop_back_val()))
        return true;
    return false;
  }

  void merge(size_t into, size_t from) {
    Group &kept = groups[into], &gone = groups[from];
    if (gone.anchor)
      kept.anchor = gone.anchor;
    kept.rows = std::max(kept.rows, gone.rows);
    for (Operation *op : gone.ops)
      groupOf[op] = into;
    kept.ops.append(gone.ops);
    llvm::sort(kept.ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
    gone.ops.clear();
  }

  int64_t epilogues;
  SmallVector<Group> groups; ///< an empty one has been merged into another
  llvm::DenseMap<Operation *, size_t> groupOf;
};

SmallVector<Group> Grouper::takeSorted() {
  SmallVector<llvm::SmallSetVector<size_t, 4>> readers(groups.size());
  SmallVector<size_t> missing(groups.size());
  for (auto [i, group] : llvm::enumerate(groups))
    for (Operation *op : group.ops)
      for (Value operand : op->getOperands())
        if (auto it = groupOf.find(operand.getDefiningOp()); it != groupOf.end() && it->second != i)
          missing[i] += readers[it->second].insert(i);

  // The group whose first op is earliest goes first: program order wherever dependences allow.
  auto later = [&](size_t a, size_t b) { return groups[b].ops.front()->isBeforeInBlock(groups[a].ops.front()); };
  std::priority_queue<size_t, std::vector<size_t>, decltype(later)> ready(later);
  for (auto [i, group] : llvm::enumerate(groups))
    if (!group.ops.empty() && !missing[i])
      ready.push(i);
  SmallVector<Group> sorted;
  while (!ready.empty()) {
    size_t next = ready.top();
    ready.pop();
    for (size_t reader : readers[next])
      if (!--missing[reader])
        ready.push(reader);
    sorted.push_back(std::move(groups[next]));
  }
  assert(llvm::all_of(missing, [](size_t count) { return !count; }) && "groups do not depend on each other in a cycle");
  return sorted;
}

} // namespace

SmallVector<Group> resin::formGroups(func::FuncOp function) {
  Grouper grouper(function);
  grouper.joinAll();
  return grouper.takeSorted();
}
