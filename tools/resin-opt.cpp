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
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Debug.h"

#include <string>
#include <vector>

/// LLVM has --debug-only, but not where it was built without assertions.
static llvm::cl::list<std::string> logOf("log", llvm::cl::CommaSeparated, llvm::cl::value_desc("pass"),
                                         llvm::cl::desc("Say what these passes decide, and why: fuse, form-pieces, "
                                                        "transform-filters"),
                                         llvm::cl::callback([](const std::string &pass) {
                                           static std::vector<std::string> passes;
                                           passes.push_back(pass);
                                           std::vector<const char *> names;
                                           for (const std::string &name : passes)
                                             names.push_back(name.c_str());
                                           llvm::setCurrentDebugTypes(names.data(), names.size());
                                           llvm::DebugFlag = true;
                                         }));

static void registerDialects(mlir::DialectRegistry &registry) {
  registry.insert<mlir::func::FuncDialect, mlir::LLVM::LLVMDialect, resin::resnet::ResnetDialect,
                  resin::kernel::KernelDialect>();
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
