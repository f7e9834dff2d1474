//===- State.cpp - Variables, and how they are read and written -----------===//

#include "dialects/Resnet/Checker.h"

using namespace mlir;

namespace resin::resnet {

/// The numbers that an initialiser takes (docs/Manifest.md).
static std::optional<SmallVector<StringRef>> keysOf(StringRef initialiser) {
  if (initialiser == "he_normal" || initialiser == "linear_uniform")
    return SmallVector<StringRef>{"fan"};
  if (initialiser == "glorot_uniform")
    return SmallVector<StringRef>{"fan_in", "fan_out"};
  if (initialiser == "constant")
    return SmallVector<StringRef>{"value"};
  return std::nullopt;
}

LogicalResult VariableOp::verify() {
  auto fail = [&](const Twine &complaint) {
    return mlir::emitError(getLoc()) << "variable '" << getSymName() << "' " << complaint;
  };
  static constexpr StringRef roles[] = {"parameter", "statistic", "slot", "prepared"};
  if (!llvm::is_contained(roles, getRole())) // variable_c1
    return fail("has role '" + getRole() + "'; known are 'parameter', 'statistic', 'slot' and 'prepared'");
  if (!cast<RankedTensorType>(getType()).hasStaticShape() ||
      !getElementTypeOrSelf(getType()).isIntOrFloat()) // variable_c2
    return fail("needs a static shape of numbers");
  auto name = getInit().getAs<StringAttr>("name");
  std::optional<SmallVector<StringRef>> keys = name ? keysOf(name.getValue()) : std::nullopt;
  if (!keys) // variable_c3
    return fail("has no known initialiser; known are 'he_normal', 'glorot_uniform', 'linear_uniform' and 'constant'");
  for (StringRef key : *keys)
    if (!isa_and_nonnull<IntegerAttr, FloatAttr>(getInit().get(key))) // variable_c3
      return fail("needs the number '" + key + "' for '" + name.getValue() + "'");
  if ((getRole() == "slot") != getParameter().has_value()) // variable_c4
    return fail(getParameter() ? "is 'of' a variable, but no slot" : "is a slot, but not 'of' a variable");
  return success();
}

LogicalResult VariableOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!getParameterAttr())
    return success();
  auto parameter = symbols.lookupNearestSymbolFrom<VariableOp>(*this, getParameterAttr());
  const auto shapeOf = [](VariableOp variable) { return cast<RankedTensorType>(variable.getType()).getShape(); };
  if (parameter && shapeOf(parameter) == shapeOf(*this))
    return success();
  return mlir::emitError(getLoc()) << "variable '" << getSymName() << "' is of '" << *getParameter()
                                   << "', which is no variable of its shape"; // variable_c4
}

/// The variable exists, and has the type of the value read or written, layout included.
static LogicalResult verifyUse(Operation *op, FlatSymbolRefAttr name, Type type, SymbolTableCollection &symbols) {
  auto variable = symbols.lookupNearestSymbolFrom<VariableOp>(op, name);
  auto verb = isa<ReadOp>(op) ? "reads" : "writes";
  if (!variable) // read_c1, write_c1
    return mlir::emitError(op->getLoc()) << verb << " '" << name.getValue() << "', which is no variable";
  if (variable.getType() != type) { // read_c2, write_c2
    InFlightDiagnostic error = mlir::emitError(op->getLoc()) << verb << " '" << name.getValue() << "' as " << type
                                                             << ", but it is " << variable.getType();
    error.attachNote(variable.getLoc()) << "the variable is declared here";
    return error;
  }
  return success();
}

LogicalResult ReadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyUse(*this, getVariableAttr(), getType(), symbols);
}

LogicalResult WriteOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyUse(*this, getVariableAttr(), getValue().getType(), symbols);
}

} // namespace resin::resnet
