//===- Resnet.cpp - The dialect's registration ----------------------------===//

#include "dialects/Resnet/Resnet.h"

#include "dialects/Resnet/Fusion.h"
#include "dialects/Resnet/Target.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace resin::resnet;

template <> struct mlir::FieldParser<resin::LayoutKind> {
  static FailureOr<resin::LayoutKind> parse(AsmParser &parser) { return resin::parseLayout(parser); }
};

#include "dialects/Resnet/ResnetDialect.cpp.inc"
#include "dialects/Resnet/ResnetInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Resnet/ResnetAttrs.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/Resnet/ResnetOps.cpp.inc"

void ResnetDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Resnet/ResnetAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Resnet/ResnetOps.cpp.inc"
      >();
}

const resin::OpFacts &resin::resnet::factsOf(Operation *op) {
  const OperationName name = op->getName();
  const StringRef known = name.getDialectNamespace() == ResnetDialect::getDialectNamespace() ? name.stripDialect() : "";
  return resin::factsOf(std::string_view(known.data(), known.size()));
}

LogicalResult ResnetDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() == kTargetAttr)
    return verifyTarget(op, attribute.getValue());
  return attribute.getName() == kFusionAttr ? verifyFusionKnobs(op, attribute.getValue()) : success();
}
