//===- KernelRows.cpp - The rows of a program's profile -------------------===//

#include "dialects/Kernel/KernelRows.h"

#include <map>
#include <tuple>

using namespace mlir;
using namespace resin;
using namespace resin::kernel;

KernelRows::KernelRows(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>()) {
    std::map<std::pair<StringRef, StringRef>, int64_t> known; // kernel and layer to row
    function.walk([&](LaunchOp launch) {
      auto [entry, isNew] = known.try_emplace({launch.getKernel(), launch.getLayer()}, rows.size());
      if (isNew)
        rows.push_back({function, launch, 0});
      rows[entry->second].calls += launch->getParentOfType<ParallelOp>().getPieces();
      indexOf[launch] = entry->second;
    });
  }
}

KernelSpec resin::kernel::specOf(LaunchOp launch) {
  KernelSpec spec;
  std::string error;
  [[maybe_unused]] bool parsed = parse(launch.getSpec().str(), spec, error);
  assert(parsed && "the verifier has read it");
  return spec;
}

LogicalResult resin::kernel::checkEntries(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.getBody().hasOneBlock() || function.getNumArguments() || function.getNumResults())
      return function.emitError("an entry function has one block, and neither arguments nor results");
  return success();
}

static FileLineColLoc findFile(Location location) {
  if (auto file = dyn_cast<FileLineColLoc>(location))
    return file;
  if (auto name = dyn_cast<NameLoc>(location))
    return findFile(name.getChildLoc());
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return findFile(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location inner : fused.getLocations())
      if (FileLineColLoc file = findFile(inner))
        return file;
  return {};
}

std::string resin::kernel::sourceOf(Location location) {
  FileLineColLoc file = findFile(location);
  if (!file)
    return "";
  return (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" + Twine(file.getColumn())).str();
}

StringRef resin::kernel::layerOf(Location location) {
  auto fused = dyn_cast<FusedLoc>(location);
  if (!fused)
    return "";
  if (auto layer = dyn_cast_or_null<StringAttr>(fused.getMetadata()))
    return layer;
  for (Location inner : fused.getLocations())
    if (StringRef layer = layerOf(inner); !layer.empty())
      return layer;
  return "";
}
