//===- StateOps.td - Variables, and reading and writing them --------------===//

#ifndef RESNET_STATE_OPS
#define RESNET_STATE_OPS

include "ResnetOpBase.td"

def Resnet_VariableOp : Resnet_Op<"variable", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "A named tensor that lives as long as the program";
  let description = [{
    Parameters, running statistics, optimizer slots and what `@prepare` makes of them. The symbol is the name in
    checkpoints; the type, its encoding included, is how the tensor is stored. `init` says what it starts as
    (docs/Manifest.md); `no_decay` keeps weight decay off. A slot is state of the optimizer `of` a parameter.

    * (C1) `role` is "parameter", "statistic", "slot" or "prepared".
    * (C2) The shape is static and the elements are numbers.
    * (C3) `init` is `{name = "he_normal", fan}`, `{name = "glorot_uniform", fan_in, fan_out}`, `{name =
      "linear_uniform", fan}` or `{name = "constant", value}`.
    * (C4) A slot, and nothing else, is `of` a variable, which has its shape.

    ```mlir
    resnet.variable "parameter" @conv1.weight : tensor<64x3x7x7xf32> init {fan = 147 : i64, name = "he_normal"}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyRankedTensor>:$type, StrAttr:$role, DictionaryAttr:$init,
                   UnitAttr:$no_decay, OptionalAttr<FlatSymbolRefAttr>:$parameter);
  let hasVerifier = 1;
  let assemblyFormat = "$role $sym_name (`of` $parameter^)? `:` $type `init` $init (`no_decay` $no_decay^)? attr-dict";
}

def Resnet_ReadOp : Resnet_Op<"read", [MemoryEffects<[MemRead]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "The variable's present value";
  let description = [{
    * (C1) `variable` names a `resnet.variable`.
    * (C2) The result has its type, layout included.
  }];
  let arguments = (ins FlatSymbolRefAttr:$variable);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$variable attr-dict `:` type($result)";
}

def Resnet_WriteOp : Resnet_Op<"write", [MemoryEffects<[MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Gives the variable a new value";
  let description = [{
    * (C1) `variable` names a `resnet.variable`.
    * (C2) The value has its type, layout included.
  }];
  let arguments = (ins FlatSymbolRefAttr:$variable, AnyRankedTensor:$value);
  let assemblyFormat = "$variable `,` $value attr-dict `:` type($value)";
}

#endif
