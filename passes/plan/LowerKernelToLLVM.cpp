//===- LowerKernelToLLVM.cpp - From launches to machine code --------------===//
//
// What `runtime/Abi.h` asks of compiled code, tables that the runtime walks:
//
//   1. Each operand of a launch becomes an offset into the arena and what a piece and a
//      worker add to it.
//   2. Each kernel becomes a function that hands it its buffers; so does each size of
//      a copy. Launches name them by their number.
//   3. Loops, regions and functions become ranges of the tables below them.
//   4. `resin_program` holds the tables, and carries the manifest.
//
// A kernel that asks for it (support/KernelSpec.h) is handed the number of its piece
// between operands and results.
//
// Code for each launch or loop would be as long as the network is deep: LLVM took most
// of a build's time over it, and more than linearly.
//
//===----------------------------------------------------------------------===//

#include "passes/KernelPasses.h"

#include "dialects/Kernel/KernelRows.h"
#include "runtime/Abi.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <cstddef>

namespace resin {
#define GEN_PASS_DEF_LOWERKERNELTOLLVM
#include "passes/KernelPasses.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::kernel;

namespace {

/// A function's regions.
struct FunctionRange {
  uint32_t region, regions;
};

struct LowerKernelToLLVM : resin::impl::LowerKernelToLLVMBase<LowerKernelToLLVM> {
  void runOnOperation() override;

private:
  LogicalResult checkPlanned();
  ResinOperand operandOf(Value view);
  uint32_t kernelOf(LaunchOp launch);
  uint32_t copyOf(int64_t bytes);
  void lowerWork(uint32_t kernel, uint32_t counter, ValueRange views);
  void lowerLoop(ParallelOp loop);
  void lowerRegion(Operation *op);
  void lowerFunction(func::FuncOp function);
  void emitProgram();

  LLVM::LLVMFuncOp makeKernel(const Twine &name, function_ref<void(ImplicitLocOpBuilder &, Block *)> fill);
  LLVM::LLVMFuncOp declareKernel(LaunchOp launch, size_t buffers);
  LLVM::GlobalOp makeText(const Twine &name, StringRef text);
  template <typename Row> LLVM::GlobalOp makeTable(StringRef name, ArrayRef<Row> rows, Type element);
  LLVM::GlobalOp
  makeConstant(StringRef name, Type type, LLVM::Linkage linkage,
               function_ref<void(ImplicitLocOpBuilder &, function_ref<void(Value, ArrayRef<int64_t>)>)> fill);
  Value constant(ImplicitLocOpBuilder &b, int64_t value) {
    return LLVM::ConstantOp::create(b, b.getI64Type(), b.getI64IntegerAttr(value));
  }
  Value offset(ImplicitLocOpBuilder &b, Value base, int32_t bytes) {
    return LLVM::GEPOp::create(b, pointer, b.getI8Type(), base, LLVM::GEPArg(bytes));
  }
  Value buffer(ImplicitLocOpBuilder &b, Block *body, size_t index) {
    return offset(b, body->getArgument(1), static_cast<int32_t>(index * sizeof(ResinBuffer)));
  }
  Value addressIn(ImplicitLocOpBuilder &b, Block *body, size_t index) {
    return LLVM::LoadOp::create(b, pointer, offset(b, buffer(b, body, index), offsetof(ResinBuffer, host)));
  }

  Type pointer, i32, i64;
  int64_t arenaBytes = 0, scratchBytes = 0;
  std::optional<KernelRows> rows;
  SymbolTable *symbols = nullptr;

  // The program's tables.
  std::vector<LLVM::LLVMFuncOp> kernels;
  std::vector<ResinOperand> operands;
  std::vector<ResinLaunch> launches;
  std::vector<ResinLoop> loops;
  std::vector<ResinRegion> regions;
  std::vector<std::pair<std::string, FunctionRange>> functions;
  size_t mostOperands = 0;

  llvm::StringMap<uint32_t> kernelByName;
  llvm::DenseMap<int64_t, uint32_t> copyByBytes;
};

} // namespace

/// The op's offset once memory is planned.
static std::optional<int64_t> plannedOffset(Operation *place) {
  auto offset = place->getAttrOfType<IntegerAttr>("offset");
  return offset ? std::optional(offset.getInt()) : std::nullopt;
}

LogicalResult LowerKernelToLLVM::checkPlanned() {
  for (StringRef name : {"kernel.arena_bytes", "kernel.scratch_bytes"})
    if (!getOperation()->getAttrOfType<IntegerAttr>(name))
      return getOperation().emitError("memory is not planned: the module has no '") << name << "'";
  WalkResult planned = getOperation().walk([](Operation *op) {
    if (!isa<VariableOp, ArgumentOp, ResultOp, AllocOp, ScratchOp>(op) || plannedOffset(op))
      return WalkResult::advance();
    op->emitOpError("has no offset: memory is not planned");
    return WalkResult::interrupt();
  });
  return failure(planned.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// 1. Operands
//===----------------------------------------------------------------------===//

ResinOperand LowerKernelToLLVM::operandOf(Value view) {
  Operation *place = view.getDefiningOp();
  if (auto slice = dyn_cast<SliceOp>(place)) {
    ResinOperand part = operandOf(slice.getView());
    ViewType whole = slice.getView().getType();
    part.per_piece = whole.sliceStride(slice.getDim(), slice.getPieces());
    part.offset += slice.getOverlap() ? whole.sliceStart(slice.getOverlap()) : 0;
    return part;
  }
  if (auto scratch = dyn_cast<ScratchOp>(place))
    return {arenaBytes + static_cast<int64_t>(*scratch.getOffset()), 0, scratchBytes};
  if (auto slot = dyn_cast<SlotOp>(place))
    place = symbols->lookup(slot.getVariable());
  return {*plannedOffset(place), 0, 0};
}

//===----------------------------------------------------------------------===//
// 2. Kernels
//===----------------------------------------------------------------------===//

LLVM::LLVMFuncOp LowerKernelToLLVM::makeKernel(const Twine &name,
                                               function_ref<void(ImplicitLocOpBuilder &, Block *)> fill) {
  ImplicitLocOpBuilder b(getOperation().getLoc(), &getContext());
  b.setInsertionPointToEnd(getOperation().getBody());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(&getContext()), {pointer, pointer, i64, i64});
  auto function = LLVM::LLVMFuncOp::create(b, name.str(), type, LLVM::Linkage::Internal);
  symbols->insert(function);
  Block *body = function.addEntryBlock(b);
  b.setInsertionPointToEnd(body);
  fill(b, body);
  LLVM::ReturnOp::create(b, ValueRange());
  return function;
}

LLVM::LLVMFuncOp LowerKernelToLLVM::declareKernel(LaunchOp launch, size_t buffers) {
  OpBuilder b = OpBuilder::atBlockBegin(getOperation().getBody());
  SmallVector<Type> arguments(buffers, pointer);
  auto kernel =
      LLVM::LLVMFuncOp::create(b, launch.getLoc(), launch.getKernel(), LLVM::LLVMFunctionType::get(i32, arguments));
  symbols->insert(kernel);
  return kernel;
}

uint32_t LowerKernelToLLVM::kernelOf(LaunchOp launch) {
  auto [known, isNew] = kernelByName.try_emplace(launch.getKernel(), kernels.size());
  if (!isNew)
    return known->second;
  const bool asks = asksForPiece(specOf(launch));
  const size_t inputs = launch.getInputs().size(), all = launch.getNumOperands();
  // "." is in no kernel's name, so this is no kernel's symbol.
  kernels.push_back(makeKernel("call." + launch.getKernel(), [&](ImplicitLocOpBuilder &b, Block *body) {
    SmallVector<Value> arguments;
    for (size_t i = 0; i < all; ++i)
      arguments.push_back(buffer(b, body, i));
    if (asks) { // a buffer as well, whose element is a scalar: its address is all there is
      Value piece = LLVM::AllocaOp::create(b, pointer, i32, constant(b, 1));
      LLVM::StoreOp::create(b, LLVM::TruncOp::create(b, i32, body->getArgument(2)), piece);
      Value holder =
          LLVM::AllocaOp::create(b, pointer, b.getI8Type(), constant(b, sizeof(ResinBuffer)), /*alignment=*/8);
      LLVM::StoreOp::create(b, piece, offset(b, holder, offsetof(ResinBuffer, host)));
      arguments.insert(arguments.begin() + inputs, holder);
    }
    LLVM::CallOp::create(b, declareKernel(launch, arguments.size()), arguments);
  }));
  return known->second;
}

uint32_t LowerKernelToLLVM::copyOf(int64_t bytes) {
  auto [known, isNew] = copyByBytes.try_emplace(bytes, kernels.size());
  if (isNew)
    kernels.push_back(makeKernel("copy." + Twine(bytes), [&](ImplicitLocOpBuilder &b, Block *body) {
      LLVM::MemcpyOp::create(b, addressIn(b, body, 1), addressIn(b, body, 0), constant(b, bytes), /*isVolatile=*/false);
    }));
  return known->second;
}

//===----------------------------------------------------------------------===//
// 3. Launches, loops, regions, functions
//===----------------------------------------------------------------------===//

void LowerKernelToLLVM::lowerWork(uint32_t kernel, uint32_t counter, ValueRange views) {
  mostOperands = std::max(mostOperands, views.size());
  launches.push_back({kernel, counter, static_cast<uint32_t>(operands.size()), static_cast<uint32_t>(views.size())});
  for (Value view : views)
    operands.push_back(operandOf(view));
}

void LowerKernelToLLVM::lowerLoop(ParallelOp loop) {
  ++numLoops;
  const uint32_t first = launches.size();
  for (Operation &op : *loop.block())
    if (auto launch = dyn_cast<LaunchOp>(op))
      lowerWork(kernelOf(launch), rows->indexOf.lookup(launch), launch.getOperands());
    else if (auto copy = dyn_cast<CopyOp>(op))
      lowerWork(copyOf(copy.getFrom().getType().bytes()), RESIN_NOT_COUNTED, {copy.getFrom(), copy.getTo()});
  ResinRegion &region = regions.back();
  const uint32_t pieces = loop.getPieces();
  loops.push_back({first, static_cast<uint32_t>(launches.size()) - first, region.pieces, pieces});
  ++region.loops;
  region.pieces += pieces;
}

/// Pieces of the last loops that have one each, behind others that have more: they fill up what those leave of the
/// workers' time.
static int64_t fillersOf(Operation *op) {
  auto sections = dyn_cast<SectionsOp>(op);
  if (!sections)
    return 0;
  int64_t fillers = 0;
  bool hasWide = false;
  for (auto loop : sections.block()->getOps<ParallelOp>()) {
    fillers = loop.getPieces() == 1 ? fillers + 1 : 0;
    hasWide |= loop.getPieces() > 1;
  }
  return hasWide ? fillers : 0;
}

void LowerKernelToLLVM::lowerRegion(Operation *op) {
  regions.push_back({static_cast<uint32_t>(loops.size()), 0, 0, static_cast<uint32_t>(fillersOf(op))});
  if (auto loop = dyn_cast<ParallelOp>(op))
    return lowerLoop(loop);
  for (auto loop : cast<SectionsOp>(op).block()->getOps<ParallelOp>())
    lowerLoop(loop);
}

void LowerKernelToLLVM::lowerFunction(func::FuncOp function) {
  const uint32_t first = regions.size();
  for (Operation &op : function.front())
    if (isa<ParallelOp, SectionsOp>(op))
      lowerRegion(&op);
  functions.emplace_back(function.getName().str(), FunctionRange{first, static_cast<uint32_t>(regions.size()) - first});
}

//===----------------------------------------------------------------------===//
// 4. The program
//===----------------------------------------------------------------------===//

LLVM::GlobalOp LowerKernelToLLVM::makeText(const Twine &name, StringRef text) {
  OpBuilder b = OpBuilder::atBlockEnd(getOperation().getBody());
  std::string bytes = text.str() + '\0';
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size());
  auto global = LLVM::GlobalOp::create(b, getOperation().getLoc(), type, /*isConstant=*/true, LLVM::Linkage::Internal,
                                       name.str(), b.getStringAttr(bytes));
  symbols->insert(global);
  return global;
}

/// Rows of integers, all of one size, as the array of these.
template <typename Row> LLVM::GlobalOp LowerKernelToLLVM::makeTable(StringRef name, ArrayRef<Row> table, Type element) {
  const int64_t bytes = element.getIntOrFloatBitWidth() / 8, count = table.size() * sizeof(Row) / bytes;
  OpBuilder b = OpBuilder::atBlockEnd(getOperation().getBody());
  ArrayRef<char> raw(reinterpret_cast<const char *>(table.data()), table.size() * sizeof(Row));
  Attribute value = DenseElementsAttr::getFromRawBuffer(RankedTensorType::get({count}, element), raw);
  auto global = LLVM::GlobalOp::create(b, getOperation().getLoc(), LLVM::LLVMArrayType::get(element, count),
                                       /*isConstant=*/true, LLVM::Linkage::Internal, name, value, /*alignment=*/8);
  symbols->insert(global);
  return global;
}

/// A constant whose fields `fill` inserts, one after the other.
LLVM::GlobalOp LowerKernelToLLVM::makeConstant(
    StringRef name, Type type, LLVM::Linkage linkage,
    function_ref<void(ImplicitLocOpBuilder &, function_ref<void(Value, ArrayRef<int64_t>)>)> fill) {
  OpBuilder atEnd = OpBuilder::atBlockEnd(getOperation().getBody());
  Location loc = getOperation().getLoc();
  auto global =
      LLVM::GlobalOp::create(atEnd, loc, type, /*isConstant=*/true, linkage, name, Attribute(), /*alignment=*/8);
  symbols->insert(global);
  ImplicitLocOpBuilder b(loc, &getContext());
  b.createBlock(&global.getInitializerRegion());
  Value value = LLVM::UndefOp::create(b, type);
  fill(b, [&](Value field, ArrayRef<int64_t> position) {
    value = LLVM::InsertValueOp::create(b, value, field, position);
  });
  LLVM::ReturnOp::create(b, value);
  return global;
}

void LowerKernelToLLVM::emitProgram() {
  MLIRContext *context = &getContext();
  auto manifest = getOperation()->getAttrOfType<StringAttr>("kernel.manifest");
  StringRef text = manifest ? manifest.getValue() : "{}";
  LLVM::GlobalOp manifestText = makeText("resin.manifest", text);
  SmallVector<LLVM::GlobalOp> names;
  for (const auto &[name, range] : functions)
    names.push_back(makeText("name." + name, name));

  auto number = [&](ImplicitLocOpBuilder &b, int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, i32, b.getI32IntegerAttr(static_cast<int32_t>(value)));
  };
  auto functionType = LLVM::LLVMStructType::getLiteral(context, {pointer, i32, i32});
  LLVM::GlobalOp functionTable =
      makeConstant("resin.functions", LLVM::LLVMArrayType::get(functionType, functions.size()), LLVM::Linkage::Internal,
                   [&](ImplicitLocOpBuilder &b, auto insert) {
                     for (auto [index, entry] : llvm::enumerate(functions)) {
                       const int64_t i = index;
                       insert(LLVM::AddressOfOp::create(b, names[i]), {i, 0});
                       insert(number(b, entry.second.region), {i, 1});
                       insert(number(b, entry.second.regions), {i, 2});
                     }
                   });
  LLVM::GlobalOp kernelTable =
      makeConstant("resin.kernels", LLVM::LLVMArrayType::get(pointer, kernels.size()), LLVM::Linkage::Internal,
                   [&](ImplicitLocOpBuilder &b, auto insert) {
                     for (auto [index, kernel] : llvm::enumerate(kernels))
                       insert(LLVM::AddressOfOp::create(b, kernel), {static_cast<int64_t>(index)});
                   });
  const LLVM::GlobalOp tables[] = {functionTable,
                                   makeTable<ResinRegion>("resin.regions", regions, i32),
                                   makeTable<ResinLoop>("resin.loops", loops, i32),
                                   makeTable<ResinLaunch>("resin.launches", launches, i32),
                                   makeTable<ResinOperand>("resin.operands", operands, i64),
                                   kernelTable};

  auto programType = LLVM::LLVMStructType::getLiteral(
      context, {i32, i32, i32, i32, pointer, i64, pointer, pointer, pointer, pointer, pointer, pointer});
  makeConstant("resin_program", programType, LLVM::Linkage::External, [&](ImplicitLocOpBuilder &b, auto insert) {
    const size_t heads[] = {RESIN_ABI_VERSION, rows->rows.size(), functions.size(), mostOperands};
    int64_t field = 0;
    for (size_t head : heads)
      insert(number(b, head), {field++});
    insert(LLVM::AddressOfOp::create(b, manifestText), {field++});
    insert(constant(b, text.size()), {field++});
    for (LLVM::GlobalOp table : tables)
      insert(LLVM::AddressOfOp::create(b, table), {field++});
  });
}

void LowerKernelToLLVM::runOnOperation() {
  ModuleOp module = getOperation();
  if (failed(checkPlanned()))
    return signalPassFailure();
  pointer = LLVM::LLVMPointerType::get(&getContext());
  i32 = IntegerType::get(&getContext(), 32);
  i64 = IntegerType::get(&getContext(), 64);
  arenaBytes = module->getAttrOfType<IntegerAttr>("kernel.arena_bytes").getInt();
  scratchBytes = module->getAttrOfType<IntegerAttr>("kernel.scratch_bytes").getInt();
  rows.emplace(module);
  SymbolTable table(module);
  symbols = &table;

  SmallVector<func::FuncOp> lowered(module.getOps<func::FuncOp>());
  llvm::for_each(lowered, [&](func::FuncOp function) { lowerFunction(function); });
  emitProgram();

  for (func::FuncOp function : lowered)
    function.erase();
  for (VariableOp variable : llvm::make_early_inc_range(module.getOps<VariableOp>()))
    variable.erase();
  SmallVector<StringAttr> consumed;
  for (NamedAttribute attr : module->getAttrs())
    if (attr.getName().strref().starts_with("kernel.") || attr.getName().strref().starts_with("resnet."))
      consumed.push_back(attr.getName());
  for (StringAttr name : consumed)
    module->removeAttr(name);
}
