//===- Kernel.h - The kernel dialect ----------------------------*- C++ -*-===//

#ifndef RESIN_DIALECTS_KERNEL_KERNEL_H
#define RESIN_DIALECTS_KERNEL_KERNEL_H

#include "dialects/Resnet/Types.h"
#include "support/KernelSpec.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Kernel/KernelDialect.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Kernel/KernelTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/Kernel/KernelOps.h.inc"

#endif // RESIN_DIALECTS_KERNEL_KERNEL_H
