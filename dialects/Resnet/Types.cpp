//===- Types.cpp - MLIR's types and the kernels' --------------------------===//

#include "dialects/Resnet/Types.h"

using namespace mlir;

Type resin::typeOf(MLIRContext *context, ElementType type) {
  switch (type) {
  case ElementType::F64:
    return Float64Type::get(context);
  case ElementType::F32:
    return Float32Type::get(context);
  case ElementType::BF16:
    return BFloat16Type::get(context);
  case ElementType::F16:
    return Float16Type::get(context);
  case ElementType::I32:
    return IntegerType::get(context, 32);
  case ElementType::U8:
    return IntegerType::get(context, 8, IntegerType::Unsigned);
  }
  llvm_unreachable("every element type is listed");
}

std::optional<resin::ElementType> resin::elementTypeOf(Type element) {
  for (const ElementTypeRow &row : kElementTypes)
    if (typeOf(element.getContext(), row.type) == element)
      return row.type;
  return std::nullopt;
}

int64_t resin::bytesOf(RankedTensorType type) {
  const std::optional<ElementType> element = elementTypeOf(type.getElementType());
  assert(element && "tensors of a program have known elements");
  return type.getNumElements() * bytesOf(*element);
}

static StringRef keywordOf(resin::LayoutKind kind) {
  const std::string_view name = nameOf(kind);
  return {name.data(), name.size()};
}

llvm::raw_ostream &resin::operator<<(llvm::raw_ostream &stream, LayoutKind kind) { return stream << keywordOf(kind); }
Diagnostic &resin::operator<<(Diagnostic &diagnostic, LayoutKind kind) { return diagnostic << keywordOf(kind); }

FailureOr<resin::LayoutKind> resin::parseLayout(AsmParser &parser) {
  StringRef word;
  const SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return failure();
  if (std::optional<LayoutKind> kind = layoutNamed({word.data(), word.size()}))
    return *kind;
  return parser.emitError(loc, "unknown layout '") << word << "'";
}
