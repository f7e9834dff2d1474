//===- Target.cpp - What a module is compiled for -------------------------===//

#include "dialects/Resnet/Target.h"

using namespace mlir;

namespace resin::resnet {

Machine machineOf(Operation *op) {
  auto module = isa<ModuleOp>(op) ? cast<ModuleOp>(op) : op->getParentOfType<ModuleOp>();
  auto name = module ? module->getAttrOfType<StringAttr>(kTargetAttr) : nullptr;
  TargetInfo target;
  std::string error;
  [[maybe_unused]] const bool found = findTarget(name ? name.str() : kUsualTarget, target, error);
  assert(found && "the dialect verifies names of targets");
  return target.machine;
}

void setTarget(ModuleOp module, const TargetInfo &target) {
  module->setAttr(kTargetAttr, StringAttr::get(module.getContext(), target.name));
}

LogicalResult verifyTarget(Operation *op, Attribute value) {
  auto name = dyn_cast<StringAttr>(value);
  if (!name || !isa<ModuleOp>(op))
    return op->emitOpError("'resnet.target' is a string on a module, not ") << value;
  TargetInfo target;
  std::string error;
  if (!findTarget(name.str(), target, error))
    return op->emitOpError("'resnet.target': ") << error;
  if (target.name != name)
    return op->emitOpError("'resnet.target' is a full name: '") << target.name << "', not '" << name.getValue() << "'";
  return success();
}

} // namespace resin::resnet
