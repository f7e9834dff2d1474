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
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(), shape, element, layout, halo, stored,
                    rows);
}

void ViewType::print(AsmPrinter &printer) const {
  printer << "<";
  for (int64_t extent : getShape())
    printer << extent << "x";
  printer << getElementType();
  if (getLayout() != LayoutKind::Dense)
    printer << ", " << getLayout();
  if (getHalo())
    printer << ", halo = " << getHalo();
  if (getStored())
    printer << ", stored = " << getStored();
  if (getRows())
    printer << ", rows = " << getRows();
  printer << ">";
}

LogicalResult ViewType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape, Type element,
                               LayoutKind layout, int64_t halo, int64_t stored, int64_t rows) {
  if (!elementTypeOf(element))
    return emitError() << "a view's elements are one of " << elementTypeNames() << ", not " << element;
  // 2^40 elements are far beyond any machine, and their bytes still fit in 64 bits.
  int64_t elements = 1;
  for (int64_t extent : shape) {
    if (extent < 1 || extent > (int64_t(1) << 40) / elements)
      return emitError() << "a view's extents are positive and their product below 2^40";
    elements *= extent;
  }
  if (!hasRank(layout, shape.size()))
    return emitError() << "layout " << layout << " has no rank " << shape.size();
  const bool planes = isImage(layout, shape.size());
  if (halo < 0 || halo > mostHalo(layout, shape.size()))
    return emitError() << "only a dense or c16 view of rank 4 has a halo, of at most " << kMostHalo;
  if (stored && (!planes || stored < shape[1]))
    return emitError() << "only part of the channels of a rank-4 view has `stored` channels, and no more than those";
  if (rows && (!planes || stored || rows + 2 * halo < shape[2]))
    return emitError() << "only a band of a rank-4 view with all its channels has `rows`, and no more than those";
  return success();
}

TensorSpec ViewType::spec() const {
  return {*elementTypeOf(getElementType()), getShape().vec(), getLayout(), getHalo(), getStored(), getRows()};
}

ViewType ViewType::get(MLIRContext *context, const TensorSpec &spec) {
  return get(context, spec.shape, typeOf(context, spec.type), spec.layout, spec.halo, spec.storedChannels,
             spec.storedRows);
}

int64_t ViewType::bytes() const { return storageBytes(spec()); }

ViewType ViewType::slice(int64_t dim, int64_t pieces, int64_t overlap) const {
  ArrayRef<int64_t> shape = getShape();
  if (dim < 0 || dim >= static_cast<int64_t>(shape.size()) || pieces < 1 || shape[dim] % pieces || isPart())
    return {};
  const bool blocked = isBlocked(getLayout(), shape.size(), dim), image = isImage(getLayout(), shape.size());
  const bool rowsOfImages = dim == 2 && image, channelsOfImages = dim == 1 && image && blocked;
  if (overlap < 0 || overlap > (rowsOfImages ? getHalo() : 0))
    return {};
  if (pieces == 1)
    return overlap ? ViewType() : *this;
  int64_t extent = shape[dim] / pieces;
  const int64_t outermost = axesOf(getLayout(), shape.size()).front().dimension;
  if (dim != outermost && !channelsOfImages && !rowsOfImages)
    return {};
  if (blocked && extent % kChannelBlock)
    return {};
  SmallVector<int64_t> part(shape);
  part[dim] = extent + 2 * overlap;
  return get(getContext(), part, getElementType(), getLayout(), getHalo(), channelsOfImages ? shape[1] : 0,
             rowsOfImages ? shape[2] : 0);
}

/// Bytes from one index along a dimension to the one `steps` behind.
static int64_t bytesAlong(ViewType view, int64_t dim, int64_t steps) {
  const TensorSpec spec = view.spec();
  return storageStride(spec, dim, steps) * bytesOf(spec.type);
}

int64_t ViewType::sliceStride(int64_t dim, int64_t pieces) const {
  assert(slice(dim, pieces) && "only a legal slice has a stride");
  return bytesAlong(*this, dim, getShape()[dim] / pieces);
}

int64_t ViewType::sliceStart(int64_t overlap) const { return -bytesAlong(*this, 2, overlap); }
