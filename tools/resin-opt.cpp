//===- resin-opt.cpp - Runs passes over .mlir files: the tests' tool ------===//

#include "dialects/Kernel/Kernel.h"
#include "dialects/Resnet/InterpretPass.h"
#include "dialects/Resnet/Resnet.h"
#include "passes/KernelPhases.h"
#include "passes/Pipelines.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

static void registerDialects(mlir::DialectRegistry &registry) {
  registry.insert<mlir::func::FuncDialect, mlir::LLVM::LLVMDialect, resin::resnet::ResnetDialect, resin::kernel::KernelDialect>();
}

static void registerPasses() {
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  resin::resnet::registerInterpretPass();
  resin::registerKernelPassesAndPhases();
  resin::registerPassesAndPipelines();
}

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  registerPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Resin's optimizer driver\n", registry));
}
