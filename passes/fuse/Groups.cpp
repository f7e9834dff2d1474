//===- Groups.cpp - Which ops become one kernel ---------------------------===//
//
//   1. Every op starts as a group of its own.
//   2. In program order, a pointwise op or a reduction joins the groups that make
//      its operands, the latest first, where the shapes agree, at most one anchor
//      comes together, nothing heavy comes to a convolution, and no path leaves the
//      joined group and comes back into it. Batch norm's finish is such a path: it
//      needs the sums of all pieces. No group becomes larger than a kernel should be.
//      Sums of one value are made together whoever makes that: the rounding of the one
//      then cancels that of the other. A convolution's kernel sums only what it stores
//      as well.
//      Running averages join the finish that makes their statistic.
//   3. Sort the groups by what they depend on, otherwise by their first op.
//
// Groups have ranks, greater than those of the groups they depend on, which joining two
// keeps up (Pearce and Kelly 2006): a path between two groups runs within their ranks,
// so that what is looked through is a few layers, not the network.
//
//===----------------------------------------------------------------------===//

#include "passes/fuse/Groups.h"

#include "dialects/Resnet/Fusion.h"

#include "llvm/Support/DebugLog.h"

#include <queue>

#define DEBUG_TYPE "fuse"

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

/// Ops of one kernel. Those of residual networks have a dozen; a chain of thousands would take code generation, whose
/// time grows faster than its ops, for ever, and its stages more registers than there are by far.
constexpr size_t kMostOps = 64;

ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

/// An op as the log calls it.
std::string nameOf(Operation *op) {
  std::string name;
  llvm::raw_string_ostream(name) << op->getName() << " at " << op->getLoc();
  return name;
}

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
  static OpRole roleOf(Operation *op) { return factsOf(op).role; }
  static bool ridesAlong(Operation *op) { return roleOf(op) == OpRole::Pointwise || roleOf(op) == OpRole::Reduction; }

  void start(Operation *op) {
    Group group;
    group.ops.push_back(op);
    const bool reduces = roleOf(op) == OpRole::Reduction;
    if (!ridesAlong(op))
      group.anchor = op;
    // A reduction runs over its operand.
    Value space = reduces ? op->getOperand(0) : op->getResult(0);
    if (canBeJoined(op))
      group.domain.assign(shapeOf(space).begin(), shapeOf(space).end());
    if (reduces)
      group.rows = shapeOf(op->getResult(0)).front();
    groupOf[op] = groups.size();
    rank.push_back(groups.size());
    groups.push_back(std::move(group));
  }

  bool canBeJoined(Operation *op) {
    if (auto data = dyn_cast<Conv2dGradDataOp>(op))
      return epilogues > (hasWinogradForm(data) ? 1 : 0);
    return factsOf(op).isJoinable;
  }

  static bool hasWinogradForm(Conv2dGradDataOp data) {
    auto filter = cast<RankedTensorType>(data.getFilter().getType());
    auto isOne = [](int64_t i) { return i == 1; };
    return filter.getDimSize(2) == 3 && filter.getDimSize(3) == 3 && llvm::all_of(data.getStrides(), isOne) &&
           llvm::all_of(data.getDilations(), isOne) && data.getGroups() == 1;
  }

  void join(Operation *op) {
    if (!ridesAlong(op))
      return;
    const bool reduces = roleOf(op) == OpRole::Reduction;
    SmallVector<size_t> candidates;
    auto consider = [&](Operation *other) {
      if (auto it = groupOf.find(other); it != groupOf.end() && it->second < groupOf[op]) // those behind come to us
        candidates.push_back(it->second);
    };
    for (Value operand : op->getOperands())
      consider(operand.getDefiningOp());
    if (reduces)
      for (Operation *user : op->getOperand(0).getUsers())
        if (roleOf(user) == OpRole::Reduction && user->getOperand(0) == op->getOperand(0))
          consider(user);
    llvm::sort(candidates, std::greater<>());
    candidates.erase(llvm::unique(candidates), candidates.end());
    for (size_t candidate : candidates) {
      if (candidate == groupOf[op])
        continue;
      StringRef reason = whyApart(groupOf[op], candidate);
      if (reason.empty() && reduces && !canSum(op->getOperand(0), candidate))
        reason = "nobody else reads what the convolution would store";
      LDBG() << nameOf(op) << (reason.empty() ? " joins " : " stays apart from ") << nameOf(groups[candidate].lead())
             << (reason.empty() ? "" : ": ") << reason;
      if (reason.empty())
        merge(groupOf[op], candidate);
    }
  }

  /// Whether the kernel of `group` may sum `value`: that of a convolution if somebody else reads it, too.
  bool canSum(Value value, size_t group) {
    return !convolves(group) ||
           llvm::any_of(value.getUsers(), [](Operation *user) { return roleOf(user) != OpRole::Reduction; });
  }

  /// Why two groups cannot become one kernel; empty if they can.
  StringRef whyApart(size_t a, size_t b) const {
    if (groups[a].domain.empty() || groups[b].domain.empty())
      return "nothing rides along with one of them";
    if (groups[a].domain != groups[b].domain)
      return "their shapes differ";
    if (groups[a].rows && groups[b].rows && groups[a].rows != groups[b].rows)
      return "their sums have different rows";
    if (groups[a].anchor && groups[b].anchor)
      return "each has a loop nest of its own";
    if (overloadsTile(a, b) || overloadsTile(b, a))
      return "a heavy op would be computed on a convolution's registers";
    if (groups[a].ops.size() + groups[b].ops.size() > kMostOps)
      return "the kernel would have too many ops";
    return pathAround(a, b) ? "a path from one to the other leads through a third" : "";
  }

  bool convolves(size_t group) const { return groups[group].anchor && factsOf(groups[group].anchor).isConvolution; }

  /// Whether a heavy op would be computed on a convolution's registers, unrolled for each vector of a tile: dropout's
  /// ten rounds are some hundred operations.
  bool overloadsTile(size_t convolution, size_t other) const {
    return convolves(convolution) && llvm::any_of(groups[other].ops, [](Operation *op) { return factsOf(op).isHeavy; });
  }

  /// Calls `visit` with each group that this one depends on, or that depends on it.
  template <typename Visit> void visitNeighbours(size_t group, bool backwards, Visit visit) const {
    auto visitGroupOf = [&](Operation *op) {
      if (auto it = groupOf.find(op); it != groupOf.end() && it->second != group)
        visit(it->second);
    };
    for (Operation *op : groups[group].ops)
      if (backwards)
        for (Value operand : op->getOperands())
          visitGroupOf(operand.getDefiningOp());
      else
        llvm::for_each(op->getUsers(), visitGroupOf);
  }

  /// What has been reached from one end of a path, and what is to be gone on from.
  struct Search {
    explicit Search(size_t start) : work{start} {}
    SmallVector<size_t> work;
    size_t next = 0; ///< of `work`
    llvm::SmallDenseSet<size_t> seen;
  };

  /// Goes on by one group, no further than `end`; whether it gets there through a third, or to where `other` has been.
  bool advance(Search &search, const Search &other, size_t end, bool backwards) const {
    const size_t start = search.work.front(), group = search.work[search.next++];
    bool meets = false;
    visitNeighbours(group, backwards, [&](size_t neighbour) {
      if (neighbour == end)
        meets |= group != start;
      else if ((rank[neighbour] > rank[end]) != backwards || neighbour == start)
        return;
      else if (other.seen.contains(neighbour))
        meets = true;
      else if (search.seen.insert(neighbour).second)
        search.work.push_back(neighbour);
    });
    return meets;
  }

  /// Whether a path leads from one of the groups to the other through a third. It is looked for from both ends in
  /// turns, as what is behind one of them alone may be most of the network.
  bool pathAround(size_t a, size_t b) const {
    auto [first, last] = rank[a] < rank[b] ? std::pair(a, b) : std::pair(b, a);
    Search forwards(first), backwards(last);
    while (true) {
      if (backwards.next == backwards.work.size())
        return false;
      if (advance(backwards, forwards, first, /*backwards=*/true))
        return true;
      if (forwards.next == forwards.work.size())
        return false;
      if (advance(forwards, backwards, last, /*backwards=*/false))
        return true;
    }
  }

  /// The groups on paths from `start` that are ranked before `end`, or behind it, by their ranks.
  SmallVector<size_t> reach(size_t start, size_t end, bool backwards) const {
    Search search(start);
    const Search nowhere(end);
    while (search.next < search.work.size())
      advance(search, nowhere, end, backwards);
    SmallVector<size_t> reached(llvm::drop_begin(search.work));
    llvm::sort(reached, [&](size_t a, size_t b) { return rank[a] < rank[b]; });
    return reached;
  }

  /// Before `a` and `b` become one: what either depends on goes before both, what depends on either behind both.
  void rankAlike(size_t a, size_t b) {
    auto [first, last] = rank[a] < rank[b] ? std::pair(a, b) : std::pair(b, a);
    SmallVector<size_t> inOrder = reach(last, first, /*backwards=*/true);
    inOrder.append({first, last});
    inOrder.append(reach(first, last, /*backwards=*/false));
    SmallVector<size_t> ranks = llvm::map_to_vector(inOrder, [&](size_t group) { return rank[group]; });
    llvm::sort(ranks);
    for (auto [group, newRank] : llvm::zip_equal(inOrder, ranks))
      rank[group] = newRank;
  }

  void merge(size_t into, size_t from) {
    rankAlike(into, from);
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
  SmallVector<size_t> rank;  ///< of each: greater than those of the groups it depends on
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
