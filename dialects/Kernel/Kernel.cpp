//===- Kernel.cpp - The dialect's registration and its view type ----------===//

#include "dialects/Kernel/Kernel.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace resin;
using namespace resin::kernel;

#include "dialects/Kernel/KernelDialect.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Kernel/KernelTypes.cpp.inc"

void KernelDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Kernel/KernelTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Kernel/KernelOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// !kernel.view
//===----------------------------------------------------------------------===//

static constexpr StringRef kLayoutNames[] = {"dense", "c16", "k16c16", "k16", "c16k16"};

static FailureOr<LayoutKind> parseLayout(AsmParser &parser) {
  StringRef word;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return failure();
  for (auto [kind, name] : llvm::enumerate(kLayoutNames))
    if (word == name)
      return static_cast<LayoutKind>(kind);
  return parser.emitError(loc, "unknown layout '") << word << "'";
}

// view ::= `<` dimensions element (`,` layout)? (`,` (`halo` | `stored` | `rows`) `=` integer)* `>`
Type ViewType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false) || parser.parseType(element))
    return {};
  LayoutKind layout = LayoutKind::Dense;
  int64_t halo = 0, stored = 0, rows = 0;
  bool first = true;
  while (succeeded(parser.parseOptionalComma())) {
    if (succeeded(parser.parseOptionalKeyword("halo"))) {
      if (parser.parseEqual() || parser.parseInteger(halo))
        return {};
    } else if (succeeded(parser.parseOptionalKeyword("stored"))) {
      if (parser.parseEqual() || parser.parseInteger(stored))
        return {};
    } else if (succeeded(parser.parseOptionalKeyword("rows"))) {
      if (parser.parseEqual() || parser.parseInteger(rows))
        return {};
    } else {
      FailureOr<LayoutKind> kind = parseLayout(parser);
      if (failed(kind))
        return {};
      if (!first) {
        parser.emitError(loc, "a view's layout stands directly behind its element type");
        return {};
      }
      layout = *kind;
    }
    first = false;
  }
  if (parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(), shape, element, layout, halo, stored, rows);
}

void ViewType::print(AsmPrinter &printer) const {
  printer << "<";
  for (int64_t extent : getShape())
    printer << extent << "x";
  printer << getElementType();
  if (getLayout() != LayoutKind::Dense)
    printer << ", " << kLayoutNames[static_cast<int>(getLayout())];
  if (getHalo())
    printer << ", halo = " << getHalo();
  if (getStored())
    printer << ", stored = " << getStored();
  if (getRows())
    printer << ", rows = " << getRows();
  printer << ">";
}

static bool hasRank(LayoutKind layout, size_t rank) {
  switch (layout) {
  case LayoutKind::Dense:
    return true;
  case LayoutKind::C16:
    return rank == 1 || rank == 2 || rank == 4;
  case LayoutKind::K16C16:
    return rank == 4 || rank == 5;
  case LayoutKind::K16:
    return rank >= 2 && rank <= 5;
  case LayoutKind::C16K16:
    return rank == 4;
  }
  llvm_unreachable("all layouts are named");
}

LogicalResult ViewType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape, Type element, LayoutKind layout, int64_t halo,
                               int64_t stored, int64_t rows) {
  if (!element.isF32() && !element.isF64() && !element.isInteger(32))
    return emitError() << "a view's elements are f32, f64 or i32, not " << element;
  // 2^40 elements are far beyond any machine, and their bytes still fit in 64 bits.
  int64_t elements = 1;
  for (int64_t extent : shape) {
    if (extent < 1 || extent > (int64_t(1) << 40) / elements)
      return emitError() << "a view's extents are positive and their product below 2^40";
    elements *= extent;
  }
  if (!hasRank(layout, shape.size()))
    return emitError() << "layout " << kLayoutNames[static_cast<int>(layout)] << " has no rank " << shape.size();
  bool planes = shape.size() == 4 && (layout == LayoutKind::Dense || layout == LayoutKind::C16);
  if (halo < 0 || halo > 1024 || (halo && !planes))
    return emitError() << "only a dense or c16 view of rank 4 has a halo";
  if (stored && (!planes || stored < shape[1]))
    return emitError() << "only part of the channels of a rank-4 view has `stored` channels, and no more than those";
  if (rows && (!planes || stored || rows + 2 * halo < shape[2]))
    return emitError() << "only a band of a rank-4 view with all its channels has `rows`, and no more than those";
  return success();
}

TensorSpec ViewType::spec() const {
  TensorSpec spec;
  const Type element = getElementType();
  spec.type = element.isF32() ? ElementType::F32 : element.isF64() ? ElementType::F64 : ElementType::I32;
  spec.shape.assign(getShape().begin(), getShape().end());
  spec.layout = getLayout();
  spec.halo = getHalo();
  spec.storedChannels = getStored();
  spec.storedRows = getRows();
  return spec;
}

static Type elementOf(MLIRContext *context, ElementType type) {
  switch (type) {
  case ElementType::F32:
    return Float32Type::get(context);
  case ElementType::F64:
    return Float64Type::get(context);
  case ElementType::I32:
    return IntegerType::get(context, 32);
  }
  llvm_unreachable("all element types are named");
}

ViewType ViewType::get(MLIRContext *context, const TensorSpec &spec) {
  return get(context, spec.shape, elementOf(context, spec.type), spec.layout, spec.halo, spec.storedChannels, spec.storedRows);
}

int64_t ViewType::bytes() const { return storageElements(spec()) * elementBytes(spec().type); }

/// Whether the layout keeps 16 neighbours along `dim` in one block.
static bool isBlocked(ViewType view, int64_t dim) {
  switch (view.getLayout()) {
  case LayoutKind::Dense:
    return false;
  case LayoutKind::C16:
    return dim == (view.getShape().size() == 1 ? 0 : 1);
  case LayoutKind::K16C16:
  case LayoutKind::K16: // an odd rank has lanes in front
    return dim == (view.getShape().size() % 2 ? 1 : 0);
  case LayoutKind::C16K16:
    return true;
  }
  llvm_unreachable("all layouts are named");
}

ViewType ViewType::slice(int64_t dim, int64_t pieces, int64_t overlap) const {
  ArrayRef<int64_t> shape = getShape();
  if (dim < 0 || dim >= static_cast<int64_t>(shape.size()) || pieces < 1 || shape[dim] % pieces || isPart())
    return {};
  bool isImage = shape.size() == 4 && (getLayout() == LayoutKind::C16 || getLayout() == LayoutKind::Dense);
  bool rowsOfImages = dim == 2 && isImage, channelsOfImages = dim == 1 && isImage && getLayout() == LayoutKind::C16;
  if (overlap < 0 || overlap > (rowsOfImages ? getHalo() : 0))
    return {};
  if (pieces == 1)
    return overlap ? ViewType() : *this;
  int64_t extent = shape[dim] / pieces;
  const int64_t outermost = getLayout() == LayoutKind::C16K16 ? 1 : 0;
  if (dim != outermost && !channelsOfImages && !rowsOfImages)
    return {};
  if (isBlocked(*this, dim) && extent % kChannelBlock)
    return {};
  SmallVector<int64_t> part(shape);
  part[dim] = extent + 2 * overlap;
  return get(getContext(), part, getElementType(), getLayout(), getHalo(), channelsOfImages ? shape[1] : 0, rowsOfImages ? shape[2] : 0);
}

/// Of one row of an image's plane, or block of planes.
static int64_t bytesOfRow(ViewType image) {
  return (image.getShape()[3] + 2 * image.getHalo()) * (image.getLayout() == LayoutKind::C16 ? kChannelBlock : 1) *
         elementBytes(image.spec().type);
}

int64_t ViewType::sliceStride(int64_t dim, int64_t pieces) const {
  ViewType part = slice(dim, pieces);
  assert(part && "only a legal slice has a stride");
  ArrayRef<int64_t> shape = part.getShape();
  if (part.getRows())
    return shape[2] * bytesOfRow(*this);
  return part.getStored() ? shape[1] * (shape[2] + 2 * getHalo()) * (shape[3] + 2 * getHalo()) * elementBytes(spec().type) : part.bytes();
}

int64_t ViewType::sliceStart(int64_t overlap) const { return -overlap * bytesOfRow(*this); }
