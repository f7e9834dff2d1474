//===- KernelDialect.td - The dialect and its one type ---------------------===//

#ifndef KERNEL_DIALECT
#define KERNEL_DIALECT

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"

def Kernel_Dialect : Dialect {
  let name = "kernel";
  let cppNamespace = "::resin::kernel";
  let summary = "What the machine will do: views of one arena, launches of serial kernels, parallel loops over pieces";
  let description = [{
    No tensors: a value is a `!kernel.view`, a place in the program's one arena with the shape and layout of what stands
    there. An entry function is a `func.func` without arguments or results; what it is called with and what it answers
    are named places (`kernel.argument`, `kernel.result`).

    Work is done by `kernel.launch`, one call of a serial kernel. `kernel.parallel` runs its launches once for each
    piece, in any order and on any worker; `kernel.sections` runs several such loops side by side. The end of either is
    a barrier.
  }];
  let useDefaultTypePrinterParser = 1;
}

def Kernel_ViewType : TypeDef<Kernel_Dialect, "View"> {
  let mnemonic = "view";
  let summary = "A place in the arena, and the tensor that stands there";
  let description = [{
    Shape, element type, layout and halo are those of `support/TensorSpec.h`. `stored` is set on a slice of channels:
    how many channels the tensor has of which it is a part. `rows` likewise on a band of rows.

    ```mlir
    !kernel.view<8x64x56x56xf32, c16, halo = 1>
    !kernel.view<8x32x56x56xf32, c16, halo = 1, stored = 64>
    !kernel.view<8x64x28x56xf32, c16, halo = 1, rows = 56>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType, "::resin::LayoutKind":$layout,
                    "int64_t":$halo, "int64_t":$stored, "int64_t":$rows);
  let genVerifyDecl = 1;
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    /// The same as the kernels' side says it.
    ::resin::TensorSpec spec() const;
    static ViewType get(::mlir::MLIRContext *context, const ::resin::TensorSpec &spec);
    /// Bytes from the start of the first to the end of the last element.
    int64_t bytes() const;
    /// Whether this is a part of which another part cannot be taken.
    bool isPart() const { return getStored() || getRows(); }
    /// One of `pieces` equal parts along `dim`; null where such a part is not a view: it would cut through a block of
    /// channels, or does not divide.
    /// A band of rows may have `overlap` more on either side: its neighbours', or the halo's.
    ViewType slice(int64_t dim, int64_t pieces, int64_t overlap = 0) const;
    /// Bytes from the start of one part to the start of the next.
    int64_t sliceStride(int64_t dim, int64_t pieces) const;
    /// Bytes from the start of the view to the first part with such an overlap: none, or less.
    int64_t sliceStart(int64_t overlap) const;
  }];
}

#endif
