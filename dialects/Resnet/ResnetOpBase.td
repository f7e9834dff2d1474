//===- ResnetOpBase.td - What the ops of all families are made of ---------===//

#ifndef RESNET_OP_BASE
#define RESNET_OP_BASE

include "OpFacts.td"
include "ResnetDialect.td"
include "ResnetInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Resnet_Op<string mnemonic, list<Trait> traits = []>
    : Op<Resnet_Dialect, mnemonic, traits>, Resnet_Facts<mnemonic>;

// Result types are those that inference gives, up to layouts. Stands before InferTypeOpInterface in the list of traits,
// so that a mistake is told once.
def Resnet_InferredTypes : NativeOpTrait<"InferredTypes"> {
  let cppNamespace = "::resin::resnet";
}

// An op that is a function of its operands: it infers its result types (and checks its constraints while it does), has
// plain loops, and takes part in fusion as `opRole` says (OpFacts.td).
class Resnet_ValueOp<string mnemonic, string opRole, list<Trait> traits = [], string compatible = "sameUpToLayout">
    : Resnet_Op<mnemonic, !listconcat([Pure, Resnet_InferredTypes, InferTypeOpAdaptor,
                                       DeclareOpInterfaceMethods<Resnet_Evaluate>],
                                      traits)> {
  let role = opRole;
  let extraClassDeclaration = [{
    static bool isCompatibleReturnTypes(::mlir::TypeRange lhs, ::mlir::TypeRange rhs) {
      return ::resin::resnet::}] # compatible # [{(lhs, rhs);
    }
  }];
}
defvar Differentiable = DeclareOpInterfaceMethods<Resnet_Gradient>;

def Activation : RankedTensorOf<[F32, F64]>;  // [n, c, h, w] (rank 4) or [n, features]
def Filter : RankedTensorOf<[F32, F64]>;      // [k, c, r, s] or [out, in]
def ChannelVector : RankedTensorOf<[F32, F64]>; // [c]
def Floats : RankedTensorOf<[F32, F64]>;
// ---- and what it may hold
def Positive : RankedTensorOf<[F32, F64]>, Holds<"Positive">; // variances, second moments, learning rates
def Squares : RankedTensorOf<[F32, F64]>, Holds<"Squares">;   // sums of squares
def Step : RankedTensorOf<[F32, F64]>, Holds<"Step">;         // rank 0: updates, from 1
def Labels : RankedTensorOf<[I32]>, Holds<"Class">;           // [n]; -1 is padding
def Seed : RankedTensorOf<[I32]>, Holds<"Seed">;              // [2]

#endif
