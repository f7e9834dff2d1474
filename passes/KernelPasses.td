//===- KernelPasses.td - The passes from fused regions to machine code -----===//

#ifndef RESIN_KERNEL_PASSES
#define RESIN_KERNEL_PASSES

include "mlir/Pass/PassBase.td"

def LowerToKernel : Pass<"lower-to-kernel", "::mlir::ModuleOp"> {
  let summary = "Give tensors places and turn each fused region into a loop of launches";
  let description = [{
    Variables, arguments and results become named places, every other tensor a `kernel.alloc`. A `resnet.fused` becomes
    a `kernel.parallel` over its pieces with one launch, whose spec is the region's canonical print.

    A `resnet.write` costs nothing where the value's producer can write into the variable itself: when nobody reads the
    old value any more, or only the producer does and it is an optimizer or a running average, which work in place.
    Otherwise it is a copy. The same holds for results.

    ```mlir
    func.func @pieces(%x: tensor<8x16x4x4xf32, #resnet.layout<c16>> {resnet.name = "image"}) -> (...) {
      %y = resnet.fused(%x) pieces 4 dims [0] to [0] : ... {
      ^bb0(%a: tensor<2x16x4x4xf32, #resnet.layout<c16>>):
        %b = resnet.relu %a : ...
    // becomes
    func.func @pieces() {
      %x = kernel.argument "image" : <8x16x4x4xf32, c16>
      %y = kernel.result "y" : <8x16x4x4xf32, c16>
      kernel.parallel pieces 4 {
      ^bb0(%piece: index):
        %0 = kernel.slice %x[%piece] dim 0 of 4 : <8x16x4x4xf32, c16> -> <2x16x4x4xf32, c16>
        %1 = kernel.slice %y[%piece] dim 0 of 4 : <8x16x4x4xf32, c16> -> <2x16x4x4xf32, c16>
        kernel.launch @relu_...(%0) -> (%1) spec "..." layer "layer1.0" : ...
      }
    ```
  }];
  let dependentDialects = ["::resin::kernel::KernelDialect"];
  let statistics = [Statistic<"numInPlace", "num-in-place", "Writes that cost nothing">,
                    Statistic<"numCopies", "num-copies", "Copies made">];
}

def FormPieces : Pass<"form-pieces", "::mlir::func::FuncOp"> {
  let summary = "Run loops together up to the barriers that the data demand";
  let description = [{
    A loop depends on an earlier one piece by piece if both have as many pieces and touch the same parts of what they
    share; then a worker may go on to the second as soon as it has done its piece of the first. Otherwise there is a
    barrier between them. Loops are put into as few regions as these barriers allow: those that hang together piece by
    piece become one loop, which runs a piece's launches one after the other while its data are in cache; those that do
    not depend on each other stand side by side in a `kernel.sections`.

    Loops that merely read the same parts share them in cache if they run as one; but then each piece goes through the
    filters of both. They are run as one unless filters that would have stayed in L2 alone (`cache-kib`) must now be
    fetched again for each piece, and are more bytes than what is shared.

    Loops of a single piece between two barriers, such as a filter's update, leave workers idle. Where what they depend
    on allows, they move beside the loops before or behind, in whose `kernel.sections` they come last.

    What is written and read only within one loop is needed only for one piece: it becomes the worker's scratch.

    ```mlir
      %t = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
      kernel.parallel pieces 4 {
      ^bb0(%piece: index):
        %from = kernel.slice %x[%piece] ...
        %to = kernel.slice %t[%piece] ...
        kernel.copy %from to %to : ...
      }
      kernel.parallel pieces 4 {
      ^bb0(%piece: index):
        %from = kernel.slice %t[%piece] ...
        %to = kernel.slice %y[%piece] ...
        kernel.copy %from to %to : ...
      }
    // becomes
      kernel.parallel pieces 4 {
      ^bb0(%piece: index):
        %t = kernel.scratch : <2x16x2x2xf32, c16>
        %from = kernel.slice %x[%piece] ...
        kernel.copy %from to %t : ...
        %to = kernel.slice %y[%piece] ...
        kernel.copy %t to %to : ...
      }
    ```
  }];
  let options = [Option<"strategy", "strategy", "std::string", "\"merge\"",
                        "`merge`, or `none` to leave every loop as it is">,
                 Option<"cacheKib", "cache-kib", "int64_t", "0",
                        "L2 of a worker, in KiB: what loops that only read the same are weighed against; 0: the "
                        "target's">,
                 Option<"report", "report", "bool", "false",
                        "A remark at each loop that joins another, or does not, saying why">];
  let dependentDialects = ["::resin::kernel::KernelDialect"];
  let statistics = [Statistic<"numRegions", "num-regions", "Parallel regions left, a barrier each">,
                    Statistic<"numContracted", "num-contracted", "Places that became scratch">];
}

def PlanMemory : Pass<"plan-memory", "::mlir::ModuleOp"> {
  let summary = "Give every view an offset in the arena so that places overlap only if their lifetimes do not";
  let description = [{
    Variables, arguments and results stand at the arena's start and keep their places for ever; functions that have an
    argument or result of the same name and type share it. Behind them is one area for all transient places: functions
    do not run at once. There, places are laid from largest to smallest into the lowest gap that is free for their whole
    life, which is counted in parallel regions. Scratch is planned likewise inside each loop.

    Offsets are multiples of 64. The module's `kernel.memory` says what was needed, and beside it the lower bound: the
    most bytes alive in one region. `strategy=none` places everything apart, for debugging.

    ```mlir
      %a = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
      %b = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
      %c = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
    // becomes, as %a is no longer needed where %c is written,
      %a = kernel.alloc at 4096 : <8x16x2x2xf32, c16>
      %b = kernel.alloc at 6144 : <8x16x2x2xf32, c16>
      %c = kernel.alloc at 4096 : <8x16x2x2xf32, c16>
    ```
  }];
  let statistics = [Statistic<"numPlaces", "num-places", "Transient views that got a place">,
                    Statistic<"numShared", "num-shared", "Those that begin where another did">];
  let options = [Option<"strategy", "strategy", "std::string", "\"reuse\"",
                        "`reuse`, or `none` to place everything apart">,
                 Option<"skew", "skew", "bool", "false",
                        "Round sizes up to an odd number of cache lines, so that equal tensors fall on different cache "
                        "sets">];
  let dependentDialects = ["::resin::kernel::KernelDialect"];
}

def VerifyPlan : Pass<"verify-plan", "::mlir::ModuleOp"> {
  let summary = "Check a memory plan by other means than it was made";
  let description = [{
    The gate behind `plan-memory`. Every place lies inside the arena, on a multiple of 64; variables, arguments and
    results overlap nothing that lives with them; and running through each function in program order, no launch touches
    bytes that somebody else still needs.

    ```mlir
        %a = kernel.alloc at 0 : !kernel.view<8x16x2x2xf32, c16>
        %b = kernel.alloc at 1024 : !kernel.view<8x16x2x2xf32, c16>
        kernel.copy %a to %b : !kernel.view<8x16x2x2xf32, c16>
    // is refused: at bytes 1024 to 3072 overlaps a place that is needed at the same time
    ```
  }];
  let dependentDialects = ["::resin::kernel::KernelDialect"];
}

def LowerKernelToLLVM : Pass<"lower-kernel-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Turn planned views into addresses and loops into tables of launches";
  let description = [{
    The program becomes the tables of `runtime/Abi.h`, which the runtime walks: an entry function is a range of regions,
    a region of loops, a loop of launches, a launch a kernel's number and a range of operands, an operand an offset into
    the arena and what a piece and a worker add to it. The last loops of one piece each of a `kernel.sections` are
    `fillers`, if others are cut. Each kernel becomes a function that hands it its `halide_buffer_t`s, of which only
    `host` is set. The global `resin_program` holds the tables and the manifest (the module's `kernel.manifest`).

    ```mlir
      kernel.parallel pieces 4 {
      ^bb0(%piece: index):
        %part = kernel.slice %x[%piece] dim 0 of 4 : ...
        kernel.launch @relu_x(%part) -> (%scratch) spec "..."
    // becomes, with kernel 0, counter 0 and operands 0 and 1
      llvm.func internal @call.relu_x(%call: !llvm.ptr, %buffers: !llvm.ptr, %piece: i64, %worker: i64) ... {
        %status = llvm.call @relu_x(%buffer0, %buffer1) : (!llvm.ptr, !llvm.ptr) -> i32
      llvm.mlir.global internal constant @resin.regions(dense<[0, 1, 4, 0, ...
      llvm.mlir.global internal constant @resin.loops(dense<[0, 1, 0, 4, ...
      llvm.mlir.global internal constant @resin.launches(dense<[0, 0, 0, 2, ...
      llvm.mlir.global internal constant @resin.operands(dense<[4096, 64, 0, 8320, 0, 4096, ...
    ```
  }];
  let statistics = [Statistic<"numLoops", "num-loops", "Loops that became rows of a table">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif
