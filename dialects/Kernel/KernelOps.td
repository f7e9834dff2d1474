//===- KernelOps.td - The ops of the kernel dialect ------------------------===//

#ifndef KERNEL_OPS
#define KERNEL_OPS

include "KernelDialect.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Kernel_Op<string mnemonic, list<Trait> traits = []> : Op<Kernel_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

def Kernel_VariableOp : Kernel_Op<"variable", [Symbol]> {
  let summary = "A named place that lives as long as the program";
  let description = [{
    Role, initialiser and the parameter that a slot is `of` are those of `resnet.variable`. `at` is its offset in the
    arena, once memory is planned.

    ```mlir
    kernel.variable "parameter" @"conv1.weight"
        : !kernel.view<16x3x3x3xf32, k16> init {name = "he_normal", fan = 27 : i64} at 0
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Kernel_ViewType>:$type, StrAttr:$role, DictionaryAttr:$init,
                   OptionalAttr<I64Attr>:$offset, OptionalAttr<FlatSymbolRefAttr>:$parameter);
  let assemblyFormat = "$role $sym_name (`of` $parameter^)? `:` $type `init` $init (`at` $offset^)? attr-dict";
}

def Kernel_SlotOp : Kernel_Op<"slot", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "The variable's place";
  let description = [{
    * (C1) `variable` names a `kernel.variable` of the view's type.
  }];
  let arguments = (ins FlatSymbolRefAttr:$variable);
  let results = (outs Kernel_ViewType:$view);
  let assemblyFormat = "$variable attr-dict `:` type($view)";
}

class Kernel_NamedPlaceOp<string mnemonic> : Kernel_Op<mnemonic, [HasParent<"::mlir::func::FuncOp">]> {
  let arguments = (ins StrAttr:$name, OptionalAttr<I64Attr>:$offset);
  let results = (outs Kernel_ViewType:$view);
  let assemblyFormat = "$name (`at` $offset^)? attr-dict `:` type($view)";
}

def Kernel_ArgumentOp : Kernel_NamedPlaceOp<"argument"> {
  let summary = "Where the runtime puts what the function is called with; nothing else is ever written there";
}

def Kernel_ResultOp : Kernel_NamedPlaceOp<"result"> {
  let summary = "Where the function leaves an answer for the runtime";
}

def Kernel_AllocOp : Kernel_Op<"alloc", [HasParent<"::mlir::func::FuncOp">]> {
  let summary = "A place that is needed only inside one call of the function";
  let description = [{
    What stands there at the start is unspecified. `at` is its offset in the arena, once memory is planned: places
    overlap if their lifetimes do not.
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$offset);
  let results = (outs Kernel_ViewType:$view);
  let assemblyFormat = "(`at` $offset^)? attr-dict `:` type($view)";
}

def Kernel_ScratchOp : Kernel_Op<"scratch", [HasParent<"ParallelOp">]> {
  let summary = "A place of one worker, needed only inside one piece";
  let description = [{
    `at` is its offset in the worker's scratch, once memory is planned.
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$offset);
  let results = (outs Kernel_ViewType:$view);
  let assemblyFormat = "(`at` $offset^)? attr-dict `:` type($view)";
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

def Kernel_ParallelOp : Kernel_Op<"parallel", [SingleBlock, NoTerminator]> {
  let summary = "Runs its body once for each piece, on any worker, in any order";
  let description = [{
    Pieces must not depend on each other: what one writes no other may touch.

    * (C1) `1 <= pieces`; the body has one argument, the piece, of type `index`.

    ```mlir
    kernel.parallel pieces 32 {
    ^bb0(%piece: index):
      %x = kernel.slice %image[%piece] dim 0 of 32
          : !kernel.view<128x3x32x32xf32, halo = 1> -> !kernel.view<4x3x32x32xf32, halo = 1>
      ...
    }
    ```
  }];
  let arguments = (ins I64Attr:$pieces);
  let regions = (region SizedRegion<1>:$body);
  let builders = [OpBuilder<(ins "int64_t":$pieces)>];
  let skipDefaultBuilders = 1;
  let assemblyFormat = "`pieces` $pieces attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::Block *block() { return &getBody().front(); }
    ::mlir::Value piece() { return getBody().getArgument(0); }
  }];
}

def Kernel_SectionsOp : Kernel_Op<"sections", [SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "Runs several loops side by side, their pieces in one pool";
  let description = [{
    The loops must not depend on each other. Pieces are handed out in the loops' order: long ones stand first.

    * (C1) The body holds `kernel.parallel`s, at least one, and nothing else.
  }];
  let regions = (region SizedRegion<1>:$body);
  let builders = [OpBuilder<(ins)>];
  let skipDefaultBuilders = 1;
  let assemblyFormat = "attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::Block *block() { return &getBody().front(); }
  }];
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

def Kernel_SliceOp : Kernel_Op<"slice", [Pure]> {
  let summary = "The piece's part of a view";
  let description = [{
    A band of rows may overlap its neighbours: it then has `overlap` more rows on either side, which are theirs, or
    zeros of the halo. As the band has a halo of its own, its view may start before the whole's; nothing is read there.

    * (C1) `view` can be cut into `pieces` equal parts along `dim`, and the result is such a part.
    * (C2) `piece` is the argument of a `kernel.parallel` with `pieces` pieces.
  }];
  let arguments = (ins Kernel_ViewType:$view, Index:$piece, I64Attr:$dim, I64Attr:$pieces,
                   DefaultValuedAttr<I64Attr, "0">:$overlap);
  let results = (outs Kernel_ViewType:$part);
  let assemblyFormat = [{
    $view `[` $piece `]` `dim` $dim `of` $pieces (`overlap` $overlap^)? attr-dict `:` type($view) `->` type($part)
  }];
  let hasVerifier = 1;
}

def Kernel_LaunchOp : Kernel_Op<"launch", [AttrSizedOperandSegments, HasParent<"ParallelOp">]> {
  let summary = "Calls a serial kernel on views";
  let description = [{
    `spec` is the canonical text of its KernelSpec and `kernel` the symbol that the spec derives. `layer` is the path of
    the layer it works for.

    * (C1) `spec` is a kernel spec.
    * (C2) The views are the spec's operands and results, in number, shape, type and layout.
    * (C3) A kernel that must know which piece it computes stands in a loop of as many as its spec says.
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Kernel_ViewType>:$inputs, Variadic<Kernel_ViewType>:$outputs,
                   StrAttr:$spec, DefaultValuedStrAttr<StrAttr, "">:$layer);
  let assemblyFormat = [{
    $kernel `(` $inputs `)` `->` `(` $outputs `)` `spec` $spec (`layer` $layer^)? attr-dict `:`
    `(` type($inputs) `)` `->` `(` type($outputs) `)`
  }];
  let hasVerifier = 1;
}

def Kernel_CopyOp : Kernel_Op<"copy", [SameTypeOperands, HasParent<"ParallelOp">]> {
  let summary = "Copies what stands at one view to another of its type";
  let description = [{
    * (C1) The type has neither `stored` nor `rows`: the copy is of one run of bytes.
  }];
  let arguments = (ins Kernel_ViewType:$from, Kernel_ViewType:$to);
  let assemblyFormat = "$from `to` $to attr-dict `:` type($from)";
  let hasVerifier = 1;
}

#endif
