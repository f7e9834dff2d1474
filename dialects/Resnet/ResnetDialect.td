//===- ResnetDialect.td - The dialect, its layout attribute, op bases ------===//

#ifndef RESNET_DIALECT
#define RESNET_DIALECT

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/TensorEncoding.td"

def Resnet_Dialect : Dialect {
  let name = "resnet";
  let cppNamespace = "::resin::resnet";
  let summary = "What a residual network and its training step mean";
  let description = [{
    Tensors, no buffers. Activations are `[n, c, h, w]`, filters `[k, c, r, s]`, matrices of linear layers `[out, in]`:
    the shapes of checkpoints and of `.npy` files. Where elements stand in memory is the tensor type's encoding
    (`#resnet.layout`), which changes nothing an op means.

    State lives in module-level `resnet.variable`s. `resnet.read` and `resnet.write` are the only ops with effects.

    A module may say what it is compiled for, `resnet.target = "x86-64-v4"` (machine/Targets.h): passes choose by that
    machine's figures.

    An entry function may say how it is fused and cut, where that can be done in more than one way
    (machine/FusionKnobs.h):

    ```mlir
    func.func @train_step(...) attributes {resnet.fusion = {epilogues = 1 : i64, piece_kib = 256 : i64}} { ... }
    ```
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 0;
  let hasOperationAttrVerify = 1;
}

def Resnet_LayoutAttr : AttrDef<Resnet_Dialect, "Layout", [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "layout";
  let summary = "A tensor's layout in memory, as the encoding of its type";
  let description = [{
    ```mlir
    tensor<8x64x56x56xf32, #resnet.layout<c16, halo = 1>>
    ```
    No encoding means `dense` without halo. The layouts are those of support/Layout.h.

    * (C1) `c16` is for ranks 1, 2 and 4, `k16c16` for 4 and 5, `k16` for 2, 4 and 5, `c16k16` for 4; `dense` for any.
    * (C2) A halo, from 0 to 1024 pixels, is only around images: rank 4, `dense` or `c16`.
  }];
  let parameters = (ins "::resin::LayoutKind":$kind, DefaultValuedParameter<"int64_t", "0">:$halo);
  let assemblyFormat = "`<` $kind (`,` `halo` `=` $halo^)? `>`";
  let extraClassDeclaration = [{
    /// Of a tensor, whose type may have no encoding.
    static ::resin::LayoutKind kindOf(::mlir::RankedTensorType type);
    static int64_t haloOf(::mlir::RankedTensorType type);
    /// The type with that layout, which is no encoding where it is dense without halo.
    static ::mlir::RankedTensorType layOut(::mlir::RankedTensorType type, ::resin::LayoutKind kind, int64_t halo = 0);
  }];
}

#endif
