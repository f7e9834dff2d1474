//===- ResnetInterfaces.td - The questions passes ask an op ----------------===//

#ifndef RESNET_INTERFACES
#define RESNET_INTERFACES

include "mlir/IR/OpBase.td"

def Resnet_Evaluate : OpInterface<"EvaluateOpInterface"> {
  let cppNamespace = "::resin::resnet";
  let description = "Plain loops that say what the op computes: the oracle of every pass and kernel.";
  let methods = [
    InterfaceMethod<[{
      Computes the results from the operands, in double. Results arrive shaped and zeroed. The interpreter rounds them
      to the element type.
    }], "void", "evaluate", (ins "::llvm::ArrayRef<::resin::resnet::Tensor>":$operands,
                             "::llvm::MutableArrayRef<::resin::resnet::Tensor>":$results)>];
}

def Resnet_Piece : OpInterface<"PieceOpInterface"> {
  let cppNamespace = "::resin::resnet";
  let description = [{
    Ops whose results depend on which piece they compute. In a fused region of several pieces they say of how many they
    compute one; which one is told by who runs the region, and is the first elsewhere: `evaluate` computes piece 0.
  }];
  let methods = [
    InterfaceMethod<"Of how many pieces the op computes one.", "uint64_t", "getPieceOf">,
    InterfaceMethod<"Makes it one of `pieces`.", "void", "setPieceOf", (ins "uint64_t":$pieces)>,
    InterfaceMethod<"As `evaluate`, of piece `piece`.", "void", "evaluatePiece",
      (ins "int64_t":$piece, "::llvm::ArrayRef<::resin::resnet::Tensor>":$operands,
       "::llvm::MutableArrayRef<::resin::resnet::Tensor>":$results)>];
}

def Resnet_Gradient : OpInterface<"GradientOpInterface"> {
  let cppNamespace = "::resin::resnet";
  let description = "Reverse-mode differentiation of one op.";
  let methods = [
    InterfaceMethod<[{
      Given the gradients of the results (null where the loss does not depend on one), makes the ops that compute the
      gradients of the operands; null for operands without one (labels, seeds). `wanted[i]` says whether operand i's
      gradient is used at all.
    }], "::llvm::SmallVector<::mlir::Value>", "gradient",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::ValueRange":$resultGradients, "::llvm::ArrayRef<bool>":$wanted)>];
}

def Resnet_Update : OpInterface<"UpdateOpInterface"> {
  let cppNamespace = "::resin::resnet";
  let description = [{
    One step of an optimizer for one parameter. Operand 0 is the parameter, operand 1 its gradient, operand `2 + i` its
    slot i; result 0 is the new parameter, result `1 + i` the new slot i.
  }];
  let methods = [
    InterfaceMethod<[{
      What a checkpoint calls the slots that the op needs (PyTorch's names). Slots beyond these, as the velocity where
      momentum is 0, are passed through and need no variable.
    }], "::llvm::SmallVector<::llvm::StringRef>", "slotNames">];
}

#endif
