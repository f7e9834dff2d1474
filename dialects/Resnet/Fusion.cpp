//===- Fusion.cpp - Fusion knobs of an entry function ---------------------===//

#include "dialects/Resnet/Fusion.h"

#include "dialects/Resnet/Target.h"

#include "mlir/IR/Builders.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace resin::resnet {

static StringRef nameOf(const FusionKnob &knob) { return {knob.name.data(), knob.name.size()}; }

FusionKnobs fusionKnobsOf(Operation *function) {
  FusionKnobs knobs = usualFusion(machineOf(function));
  if (auto attr = function->getAttrOfType<DictionaryAttr>(kFusionAttr))
    for (const FusionKnob &knob : fusionKnobs())
      if (auto value = attr.getAs<IntegerAttr>(nameOf(knob)))
        knobs.*knob.member = value.getInt();
  return knobs;
}

void setFusionKnobs(Operation *function, const FusionKnobs &knobs) {
  Builder b(function->getContext());
  SmallVector<NamedAttribute> entries;
  for (const FusionKnob &knob : fusionKnobs())
    entries.push_back(b.getNamedAttr(nameOf(knob), b.getI64IntegerAttr(knobs.*knob.member)));
  function->setAttr(kFusionAttr, b.getDictionaryAttr(entries));
}

LogicalResult verifyFusionKnobs(Operation *op, Attribute value) {
  auto attr = dyn_cast<DictionaryAttr>(value);
  if (!attr)
    return op->emitOpError("'resnet.fusion' is a dictionary of knobs, not ") << value;
  for (NamedAttribute entry : attr) {
    const auto known =
        llvm::find_if(fusionKnobs(), [&](const FusionKnob &knob) { return nameOf(knob) == entry.getName(); });
    if (known == fusionKnobs().end())
      return op->emitOpError("'resnet.fusion' has no knob ") << entry.getName();
    auto integer = dyn_cast<IntegerAttr>(entry.getValue());
    if (integer && integer.getType().isSignlessInteger(64) && llvm::is_contained(known->values, integer.getInt()))
      continue;
    InFlightDiagnostic error = op->emitOpError("'resnet.fusion': ") << entry.getName() << " is one of ";
    llvm::interleaveComma(known->values, error);
    return error << " : i64, not " << entry.getValue();
  }
  return success();
}

} // namespace resin::resnet
