//===- Traffic.cpp - What a function keeps in memory and moves ------------===//

#include "dialects/Kernel/Traffic.h"

#include "dialects/Kernel/KernelRows.h"
#include "dialects/Resnet/Task.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <set>

using namespace mlir;
using namespace resin;
using namespace resin::kernel;

static Value wholeOf(Value view) {
  auto slice = view.getDefiningOp<SliceOp>();
  return slice ? slice.getView() : view;
}

static int64_t bytesOf(const ValueSpec &value) {
  int64_t bytes = bytesOf(value.type);
  for (int64_t extent : value.shape)
    bytes *= extent;
  return bytes;
}

/// Of one launch in `pieces` pieces, were its nodes kernels of their own. Halos and padding are not counted.
static int64_t bytesUnfused(LaunchOp launch, int64_t pieces) {
  const KernelSpec spec = specOf(launch);
  SmallVector<int64_t> bytes; // of each value, in all pieces
  for (auto [operand, view] : llvm::zip_equal(spec.operands, launch.getInputs())) {
    const bool isPart = view.getDefiningOp<SliceOp>() || view.getDefiningOp<ScratchOp>();
    bytes.push_back(bytesOf(ValueSpec{operand.type, operand.shape}) * (isPart ? pieces : 1));
  }
  int64_t moved = 0;
  for (const KernelNode &node : spec.nodes) {
    if (node.op == "part") { // only how a kernel takes its operand
      bytes.push_back(bytesOf(node.results[0]) * pieces);
      continue;
    }
    for (int operand : std::set<int>(node.operands.begin(), node.operands.end()))
      moved += bytes[operand];
    for (const ValueSpec &result : node.results) {
      bytes.push_back(bytesOf(result) * pieces);
      moved += bytes.back();
    }
  }
  return moved;
}

namespace {
/// What one loop moves: each place once in either direction, and what it made itself is not read from memory.
class LoopTraffic {
public:
  void read(Value view) {
    const Value whole = wholeOf(view);
    if (!whole.getDefiningOp<ScratchOp>() && !written.contains(whole) && hasRead.insert(whole).second)
      bytes += cast<ViewType>(whole.getType()).bytes();
  }
  void write(Value view) {
    const Value whole = wholeOf(view);
    if (!whole.getDefiningOp<ScratchOp>() && written.insert(whole).second)
      bytes += cast<ViewType>(whole.getType()).bytes();
  }

  int64_t bytes = 0;

private:
  llvm::DenseSet<Value> hasRead, written;
};
} // namespace

static int64_t bytesFused(ParallelOp loop) {
  LoopTraffic traffic;
  for (Operation &op : *loop.block()) {
    if (auto launch = dyn_cast<LaunchOp>(op)) {
      llvm::for_each(launch.getInputs(), [&](Value view) { traffic.read(view); });
      llvm::for_each(launch.getOutputs(), [&](Value view) { traffic.write(view); });
    } else if (auto copy = dyn_cast<CopyOp>(op)) {
      traffic.read(copy.getFrom());
      traffic.write(copy.getTo());
    }
  }
  return traffic.bytes;
}

/// The op of the region that computes output `index`.
static std::string opOfOutput(const KernelSpec &spec, size_t index) {
  size_t value = spec.operands.size();
  for (const KernelNode &node : spec.nodes) {
    value += node.results.size();
    if (static_cast<size_t>(spec.yields[index]) < value)
      return node.op;
  }
  return "";
}

/// Images of `type`; features, filters, sums and lanes are small or no activations.
static bool isActivation(ViewType type) { return isImage(type.getLayout(), type.getShape().size()); }

std::optional<int64_t> kernel::batchOf(func::FuncOp function) {
  const std::optional<resnet::Task> task = resnet::Task::of(function->getParentOfType<ModuleOp>());
  for (auto argument : function.getOps<ArgumentOp>())
    if (task && task->hasInput(argument.getName()))
      return argument.getView().getType().getShape().front();
  return std::nullopt;
}

Traffic::Traffic(func::FuncOp function) : images(batchOf(function).value_or(0)) {
  llvm::DenseSet<Value> known;
  function.walk([&](ParallelOp loop) {
    const int64_t pieces = loop.getPieces();
    bytesAfter += bytesFused(loop);
    for (auto launch : loop.block()->getOps<LaunchOp>()) {
      bytesBefore += bytesUnfused(launch, pieces);
      const KernelSpec spec = specOf(launch);
      for (auto [index, view] : llvm::enumerate(launch.getOutputs())) {
        const Value whole = wholeOf(view);
        auto type = cast<ViewType>(whole.getType());
        const bool inCache = whole.getDefiningOp<ScratchOp>() != nullptr;
        if (!isActivation(type) || !known.insert(whole).second || !(inCache || whole.getDefiningOp<AllocOp>()))
          continue;
        (inCache ? rebuilt : stored)
            .push_back({launch.getLayer().str(), opOfOutput(spec, index), type, type.bytes() * (inCache ? pieces : 1)});
      }
    }
    for (auto copy : loop.block()->getOps<CopyOp>())
      bytesBefore +=
          2 * cast<ViewType>(copy.getFrom().getType()).bytes() * (copy.getFrom().getDefiningOp<SliceOp>() ? pieces : 1);
  });
}

static int64_t sumOf(const std::vector<Traffic::Activation> &activations) {
  int64_t bytes = 0;
  for (const Traffic::Activation &activation : activations)
    bytes += activation.bytes;
  return bytes;
}

void kernel::printTraffic(llvm::raw_ostream &out, ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>()) {
    const Traffic traffic(function);
    if (!traffic.images)
      continue;
    auto megabytes = [&](int64_t bytes) {
      return static_cast<double>(bytes) / static_cast<double>(traffic.images) / 1e6;
    };
    out << llvm::formatv("// @{0} moves {1:f2} MB an image; with every op by itself it would be {2:f2}. Activations: "
                         "{3} stored, {4:f2} MB an image; "
                         "{5} rebuilt in cache, {6:f2}\n",
                         function.getName(), megabytes(traffic.bytesAfter), megabytes(traffic.bytesBefore),
                         traffic.stored.size(), megabytes(sumOf(traffic.stored)), traffic.rebuilt.size(),
                         megabytes(sumOf(traffic.rebuilt)));
    for (const auto &[what, list] : {std::pair("stored", &traffic.stored), std::pair("rebuilt", &traffic.rebuilt)})
      for (const Traffic::Activation &activation : *list) {
        ArrayRef<int64_t> shape = activation.type.getShape().drop_front();
        out << llvm::formatv("//   {0,-7} {1,8:f3} MB  {2,-12} {3,-20} {4}\n", what, megabytes(activation.bytes),
                             llvm::join(llvm::map_range(shape, [](int64_t n) { return std::to_string(n); }), "x"),
                             activation.op, activation.layer);
      }
  }
}
