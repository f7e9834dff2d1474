//===- FusionOps.td - Layouts, and the regions that become kernels --------===//

#ifndef RESNET_FUSION_OPS
#define RESNET_FUSION_OPS

include "ResnetOpBase.td"

def Resnet_RelayoutOp : Resnet_Op<"relayout", [Pure, DeclareOpInterfaceMethods<Resnet_Evaluate>]> {
  let summary = "The same tensor in another layout";
  let description = [{
    * (C1) Shape and element type stay.

    ```mlir
    %y = resnet.relayout %x : tensor<8x64x56x56xf32> to tensor<8x64x56x56xf32, #resnet.layout<c16, halo = 1>>
    ```
  }];
  let role = "View";
  let elementwise = 1;
  let arguments = (ins AnyRankedTensor:$input);
  let results = (outs AnyRankedTensor:$result);
  let hasVerifier = 1;
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
}

def Resnet_PartOp
    : Resnet_Op<"part", [Pure, DeclareOpInterfaceMethods<Resnet_Evaluate>,
                         DeclareOpInterfaceMethods<Resnet_Piece, ["evaluatePiece"]>]> {
  let summary = "In a fused region, the piece's part of a tensor that it is handed whole";
  let description = [{
    The parts are equal ranges along dimension `dim`, one for each of `piece_of` pieces. Where a part of the operand is
    no run of memory, as the lanes of some output channels are not, the region takes the operand whole and its part of
    it: pieces may then be ranges of what is outermost in the result.

    * (C1) The result is the input, but that dimension `dim` is `piece_of` times smaller.

    ```mlir
    %y = resnet.part %x dim 1 piece_of 4 : tensor<8x64x16x3x3xf32> to tensor<8x16x16x3x3xf32>
    ```
  }];
  let role = "View";
  let arguments = (ins AnyRankedTensor:$input, I64Attr:$dim, I64Attr:$piece_of);
  let results = (outs AnyRankedTensor:$result);
  let hasVerifier = 1;
  let assemblyFormat = "$input `dim` $dim `piece_of` $piece_of attr-dict `:` type($input) `to` type($result)";
}

def Resnet_FusedOp : Resnet_Op<"fused", [Pure, IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Ops that become one kernel, for each piece of the batch";
  let description = [{
    Runs its region once for each piece. An operand with dimension `d >= 0` in `dims` is cut into `pieces` equal parts
    along `d`, and the region sees one part; -1 hands it over whole. Results are put together likewise. Parts along the
    rows of activations may overlap: with `overlaps`, one number an operand, the region sees so many rows more on either
    side of the part, zeros beyond the image. The region is isolated; its canonical print is the `KernelSpec`
    (dialects/Resnet/Spec.h).

    * (C1) There is at least one piece.
    * (C2) Each operand and result has a number in the dims and a value in the region.
    * (C3) The dimension exists, is static, and parts equally.
    * (C4) The region's values have the types of the pieces, layouts included.
    * (C5) With several pieces no result has dimension -1.
    * (C6) The region holds only ops that the interpreter can evaluate by themselves.
    * (C7) There are no overlaps, or one for each operand: positive only where dimension 2 of rank 4 is cut, and no
      larger than the operand's halo.
    * (C8) With several pieces, what must know which one it is in (`dropout`, `part`) is one of as many.
    * (C9) Elements are of the types that kernels know (support/ElementType.h).

    ```mlir
    %y:2 = resnet.fused(%x, %f) pieces 4 dims [0, -1] to [0, 0]
        : (tensor<8x64x56x56xf32>, tensor<64x64x3x3xf32>) -> (tensor<8x64x56x56xf32>, tensor<4x64xf32>) {
    ^bb0(%a: tensor<2x64x56x56xf32>, %b: tensor<64x64x3x3xf32>):
      %0 = resnet.conv2d %a, %b strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
          : (tensor<2x64x56x56xf32>, tensor<64x64x3x3xf32>) -> tensor<2x64x56x56xf32>
      %1 = resnet.channel_sum %0 pieces 1 : (tensor<2x64x56x56xf32>) -> tensor<1x64xf32>
      resnet.yield %0, %1 : tensor<2x64x56x56xf32>, tensor<1x64xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, I64Attr:$pieces, DenseI64ArrayAttr:$operand_dims,
                   DenseI64ArrayAttr:$result_dims, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$overlaps);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasVerifier = 1;
  let assemblyFormat = [{
    `(` $inputs `)` `pieces` $pieces `dims` $operand_dims `to` $result_dims (`overlaps` $overlaps^)? attr-dict `:`
    functional-type($inputs, $outputs) $body
  }];
}

def Resnet_YieldOp : Resnet_Op<"yield", [Pure, Terminator, ReturnLike, ParentOneOf<["FusedOp"]>]> {
  let summary = "Ends a fused region";
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let builders = [OpBuilder<(ins), [{ /* yields nothing */ }]>];
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif
