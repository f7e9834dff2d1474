//===- LowerKernelToLLVM.cpp - From launches to machine code --------------===//
//
// What `runtime/Abi.h` asks of compiled code:
//
//   1. Each parallel loop becomes a function of (call, piece, worker): it takes the
//      views' addresses, calls the kernels, and counts ticks and calls.
//   2. Each `kernel.sections` becomes one that finds the piece's loop.
//   3. Each entry function runs those through `call->parallel`.
//   4. `resin_program` lists the entries and carries the manifest.
//
// A kernel that asks for it (support/KernelSpec.h) is handed the number of its piece
// between operands and results.
//
// A kernel reads only the `host` field of a `halide_buffer_t`, so that is all that is
// filled in: one store an operand.
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

// halide_buffer_t of HalideRuntime.h: 56 bytes, `host` at 16.
constexpr int64_t kBufferBytes = 56;
constexpr int32_t kBufferHost = 16;

struct LowerKernelToLLVM : resin::impl::LowerKernelToLLVMBase<LowerKernelToLLVM> {
  void runOnOperation() override;

private:
  LogicalResult checkPlanned();
  LLVM::LLVMFuncOp lowerLoop(ParallelOp loop, const Twine &name);
  LLVM::LLVMFuncOp lowerSections(SectionsOp sections, const Twine &name);
  LLVM::LLVMFuncOp lowerEntry(func::FuncOp function);
  void lowerLaunch(ImplicitLocOpBuilder &b, LaunchOp launch, LLVM::LLVMFuncOp body, ArrayRef<Value> buffers, Value piece);
  Value addressOf(ImplicitLocOpBuilder &b, Value view, LLVM::LLVMFuncOp body);
  void emitProgram(ArrayRef<std::pair<std::string, LLVM::LLVMFuncOp>> entries);

  LLVM::LLVMFuncOp makeFunction(Location loc, const Twine &name, TypeRange arguments);
  LLVM::LLVMFuncOp declareKernel(LaunchOp launch);
  LLVM::GlobalOp makeText(const Twine &name, StringRef text);
  Value constant(ImplicitLocOpBuilder &b, int64_t value) { return LLVM::ConstantOp::create(b, b.getI64Type(), b.getI64IntegerAttr(value)); }
  Value offset(ImplicitLocOpBuilder &b, Value base, LLVM::GEPArg bytes) {
    return LLVM::GEPOp::create(b, pointer, b.getI8Type(), base, bytes);
  }
  Value loadField(ImplicitLocOpBuilder &b, Value base, int32_t at) { return LLVM::LoadOp::create(b, pointer, offset(b, base, at)); }

  Type pointer, i64;
  int64_t arenaBytes = 0, scratchBytes = 0;
  std::optional<KernelRows> rows;
  SymbolTable *symbols = nullptr;
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

LLVM::LLVMFuncOp LowerKernelToLLVM::makeFunction(Location loc, const Twine &name, TypeRange arguments) {
  OpBuilder b = OpBuilder::atBlockEnd(getOperation().getBody());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(&getContext()), SmallVector<Type>(arguments));
  auto function = LLVM::LLVMFuncOp::create(b, loc, name.str(), type, LLVM::Linkage::Internal);
  symbols->insert(function);
  function.addEntryBlock(b);
  return function;
}

LLVM::LLVMFuncOp LowerKernelToLLVM::declareKernel(LaunchOp launch) {
  if (auto known = symbols->lookup<LLVM::LLVMFuncOp>(launch.getKernel()))
    return known;
  OpBuilder b = OpBuilder::atBlockBegin(getOperation().getBody());
  SmallVector<Type> buffers(launch.getNumOperands() + asksForPiece(specOf(launch)), pointer);
  auto kernel = LLVM::LLVMFuncOp::create(b, launch.getLoc(), launch.getKernel(), LLVM::LLVMFunctionType::get(b.getI32Type(), buffers));
  symbols->insert(kernel);
  return kernel;
}

//===----------------------------------------------------------------------===//
// 1. Loops
//===----------------------------------------------------------------------===//

Value LowerKernelToLLVM::addressOf(ImplicitLocOpBuilder &b, Value view, LLVM::LLVMFuncOp body) {
  Operation *place = view.getDefiningOp();
  Value call = body.getArgument(0);
  if (auto slice = dyn_cast<SliceOp>(place)) {
    Value base = addressOf(b, slice.getView(), body);
    int64_t stride = slice.getView().getType().sliceStride(slice.getDim(), slice.getPieces());
    Value part = offset(b, base, LLVM::MulOp::create(b, body.getArgument(1), constant(b, stride)).getResult());
    int64_t start = slice.getOverlap() ? slice.getView().getType().sliceStart(slice.getOverlap()) : 0;
    return start ? offset(b, part, constant(b, start)) : part;
  }
  Value arena = loadField(b, call, offsetof(ResinCall, arena));
  if (auto scratch = dyn_cast<ScratchOp>(place)) {
    Value ofWorker = LLVM::MulOp::create(b, body.getArgument(2), constant(b, scratchBytes));
    return offset(b, arena, LLVM::AddOp::create(b, ofWorker, constant(b, arenaBytes + *scratch.getOffset())).getResult());
  }
  if (auto slot = dyn_cast<SlotOp>(place))
    place = SymbolTable::lookupNearestSymbolFrom(slot, slot.getVariableAttr());
  return offset(b, arena, constant(b, *plannedOffset(place)));
}

void LowerKernelToLLVM::lowerLaunch(ImplicitLocOpBuilder &b, LaunchOp launch, LLVM::LLVMFuncOp body, ArrayRef<Value> buffers, Value piece) {
  SmallVector<Value> places;
  for (Value view : launch.getOperands())
    places.push_back(addressOf(b, view, body));
  if (asksForPiece(specOf(launch)))
    places.insert(places.begin() + launch.getInputs().size(), piece);
  ArrayRef<Value> used = buffers.take_front(places.size());
  for (auto [place, buffer] : llvm::zip_equal(places, used))
    LLVM::StoreOp::create(b, place, offset(b, buffer, kBufferHost));
  StringAttr cycles = b.getStringAttr("llvm.readcyclecounter");
  Value start = LLVM::CallIntrinsicOp::create(b, i64, cycles, ValueRange()).getResult(0);
  LLVM::CallOp::create(b, declareKernel(launch), used);
  Value end = LLVM::CallIntrinsicOp::create(b, i64, cycles, ValueRange()).getResult(0);

  // counters[worker][kernel]: ticks, calls
  Value counters = loadField(b, body.getArgument(0), offsetof(ResinCall, counters));
  Value row = LLVM::MulOp::create(b, body.getArgument(2), constant(b, rows->rows.size() * sizeof(ResinCounter)));
  Value counter = offset(b, offset(b, counters, row), static_cast<int32_t>(rows->indexOf.lookup(launch) * sizeof(ResinCounter)));
  auto increase = [&](int32_t at, Value by) {
    Value field = offset(b, counter, at);
    LLVM::StoreOp::create(b, LLVM::AddOp::create(b, LLVM::LoadOp::create(b, i64, field), by), field);
  };
  increase(offsetof(ResinCounter, ticks), LLVM::SubOp::create(b, end, start));
  increase(offsetof(ResinCounter, calls), constant(b, 1));
}

LLVM::LLVMFuncOp LowerKernelToLLVM::lowerLoop(ParallelOp loop, const Twine &name) {
  ++numLoops;
  LLVM::LLVMFuncOp body = makeFunction(loop.getLoc(), name, {pointer, i64, i64});
  ImplicitLocOpBuilder b(loop.getLoc(), &getContext());
  b.setInsertionPointToEnd(&body.getBody().front());
  size_t most = 0;
  for (auto launch : loop.block()->getOps<LaunchOp>())
    most = std::max<size_t>(most, launch.getNumOperands() + asksForPiece(specOf(launch)));
  SmallVector<Value> buffers; // shared by all launches: only `host` differs
  for (size_t i = 0; i < most; ++i)
    buffers.push_back(LLVM::AllocaOp::create(b, pointer, b.getI8Type(), constant(b, kBufferBytes), /*alignment=*/8));
  Value piece = LLVM::AllocaOp::create(b, pointer, b.getI32Type(), constant(b, 1));
  LLVM::StoreOp::create(b, LLVM::TruncOp::create(b, b.getI32Type(), body.getArgument(1)), piece);
  for (Operation &op : *loop.block()) {
    b.setLoc(op.getLoc());
    if (auto launch = dyn_cast<LaunchOp>(op))
      lowerLaunch(b, launch, body, buffers, piece);
    else if (auto copy = dyn_cast<CopyOp>(op))
      LLVM::MemcpyOp::create(b, addressOf(b, copy.getTo(), body), addressOf(b, copy.getFrom(), body), constant(b, copy.getFrom().getType().bytes()),
                             /*isVolatile=*/false);
  }
  LLVM::ReturnOp::create(b, ValueRange());
  return body;
}

//===----------------------------------------------------------------------===//
// 2. Sections
//===----------------------------------------------------------------------===//

LLVM::LLVMFuncOp LowerKernelToLLVM::lowerSections(SectionsOp sections, const Twine &name) {
  SmallVector<std::pair<LLVM::LLVMFuncOp, int64_t>> bodies; // and their pieces
  for (auto [index, loop] : llvm::enumerate(sections.block()->getOps<ParallelOp>()))
    bodies.emplace_back(lowerLoop(loop, name + "." + Twine(index)), loop.getPieces());

  LLVM::LLVMFuncOp dispatch = makeFunction(sections.getLoc(), name, {pointer, i64, i64});
  ImplicitLocOpBuilder b(sections.getLoc(), &getContext());
  b.setInsertionPointToEnd(&dispatch.getBody().front());
  int64_t first = 0; // of the loop's pieces
  for (auto [body, pieces] : bodies) {
    Block *here = b.getInsertionBlock();
    Block *run = dispatch.addBlock(), *next = dispatch.addBlock();
    b.setInsertionPointToEnd(here);
    Value inside = LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::slt, dispatch.getArgument(1), constant(b, first + pieces));
    LLVM::CondBrOp::create(b, inside, run, next);
    b.setInsertionPointToEnd(run);
    Value piece = LLVM::SubOp::create(b, dispatch.getArgument(1), constant(b, first));
    LLVM::CallOp::create(b, body, ValueRange{dispatch.getArgument(0), piece, dispatch.getArgument(2)});
    LLVM::ReturnOp::create(b, ValueRange());
    b.setInsertionPointToEnd(next);
    first += pieces;
  }
  LLVM::ReturnOp::create(b, ValueRange());
  return dispatch;
}

//===----------------------------------------------------------------------===//
// 3. Entries
//===----------------------------------------------------------------------===//

static int64_t piecesOf(Operation *op) {
  if (auto loop = dyn_cast<ParallelOp>(op))
    return loop.getPieces();
  int64_t pieces = 0;
  for (auto loop : cast<SectionsOp>(op).block()->getOps<ParallelOp>())
    pieces += loop.getPieces();
  return pieces;
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

LLVM::LLVMFuncOp LowerKernelToLLVM::lowerEntry(func::FuncOp function) {
  // "." is in no function's name, so these are nobody else's symbols.
  LLVM::LLVMFuncOp entry = makeFunction(function.getLoc(), "entry." + function.getName(), {pointer});
  Value call = entry.getArgument(0);
  ImplicitLocOpBuilder b(function.getLoc(), &getContext());
  b.setInsertionPointToEnd(&entry.getBody().front());
  auto parallelType = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(&getContext()), {pointer, pointer, i64, i64});
  for (auto [index, op] : llvm::enumerate(llvm::make_filter_range(function.front(), llvm::IsaPred<ParallelOp, SectionsOp>))) {
    b.setLoc(op.getLoc());
    std::string name = (function.getName() + "." + Twine(index)).str();
    auto sections = dyn_cast<SectionsOp>(op);
    LLVM::LLVMFuncOp body = sections ? lowerSections(sections, name) : lowerLoop(cast<ParallelOp>(op), name);
    int64_t pieces = piecesOf(&op);
    if (pieces == 1) {
      Value zero = constant(b, 0);
      LLVM::CallOp::create(b, body, ValueRange{call, zero, zero});
      continue;
    }
    Value parallel = loadField(b, call, offsetof(ResinCall, parallel));
    LLVM::CallOp::create(b, parallelType, ValueRange{parallel, call, LLVM::AddressOfOp::create(b, body), constant(b, pieces), constant(b, fillersOf(&op))});
  }
  LLVM::ReturnOp::create(b, ValueRange());
  return entry;
}

//===----------------------------------------------------------------------===//
// 4. The program
//===----------------------------------------------------------------------===//

LLVM::GlobalOp LowerKernelToLLVM::makeText(const Twine &name, StringRef text) {
  OpBuilder b = OpBuilder::atBlockEnd(getOperation().getBody());
  std::string bytes = text.str() + '\0';
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size());
  auto global = LLVM::GlobalOp::create(b, getOperation().getLoc(), type, /*isConstant=*/true, LLVM::Linkage::Internal, name.str(), b.getStringAttr(bytes));
  symbols->insert(global);
  return global;
}

void LowerKernelToLLVM::emitProgram(ArrayRef<std::pair<std::string, LLVM::LLVMFuncOp>> entries) {
  MLIRContext *context = &getContext();
  Location loc = getOperation().getLoc();
  auto manifest = getOperation()->getAttrOfType<StringAttr>("kernel.manifest");
  StringRef text = manifest ? manifest.getValue() : "{}";
  LLVM::GlobalOp manifestText = makeText("resin.manifest", text);
  SmallVector<LLVM::GlobalOp> names;
  for (const auto &[name, function] : entries)
    names.push_back(makeText("name." + name, name));

  // Makes a constant whose fields `fill` inserts, one after the other.
  auto makeConstant = [&](StringRef name, Type type, LLVM::Linkage linkage, auto fill) {
    OpBuilder atEnd = OpBuilder::atBlockEnd(getOperation().getBody());
    auto global = LLVM::GlobalOp::create(atEnd, loc, type, /*isConstant=*/true, linkage, name, Attribute(), /*alignment=*/8);
    symbols->insert(global);
    ImplicitLocOpBuilder b(loc, context);
    b.createBlock(&global.getInitializerRegion());
    Value value = LLVM::UndefOp::create(b, type);
    fill(b, [&](Value field, ArrayRef<int64_t> position) { value = LLVM::InsertValueOp::create(b, value, field, position); });
    LLVM::ReturnOp::create(b, value);
    return global;
  };

  auto functionType = LLVM::LLVMStructType::getLiteral(context, {pointer, pointer});
  auto tableType = LLVM::LLVMArrayType::get(functionType, entries.size());
  LLVM::GlobalOp table = makeConstant("resin.functions", tableType, LLVM::Linkage::Internal, [&](ImplicitLocOpBuilder &b, auto insert) {
    for (int64_t i = 0, e = entries.size(); i < e; ++i) {
      insert(LLVM::AddressOfOp::create(b, names[i]), {i, 0});
      insert(LLVM::AddressOfOp::create(b, entries[i].second), {i, 1});
    }
  });

  Type i32 = IntegerType::get(context, 32);
  auto programType = LLVM::LLVMStructType::getLiteral(context, {i32, i32, i32, i32, pointer, i64, pointer});
  makeConstant("resin_program", programType, LLVM::Linkage::External, [&](ImplicitLocOpBuilder &b, auto insert) {
    int64_t heads[] = {RESIN_ABI_VERSION, static_cast<int64_t>(rows->rows.size()), static_cast<int64_t>(entries.size()), 0};
    for (auto [index, head] : llvm::enumerate(heads))
      insert(LLVM::ConstantOp::create(b, i32, b.getI32IntegerAttr(head)), {static_cast<int64_t>(index)});
    insert(LLVM::AddressOfOp::create(b, manifestText), {4});
    insert(constant(b, text.size()), {5});
    insert(LLVM::AddressOfOp::create(b, table), {6});
  });
}

void LowerKernelToLLVM::runOnOperation() {
  ModuleOp module = getOperation();
  if (failed(checkPlanned()))
    return signalPassFailure();
  pointer = LLVM::LLVMPointerType::get(&getContext());
  i64 = IntegerType::get(&getContext(), 64);
  arenaBytes = module->getAttrOfType<IntegerAttr>("kernel.arena_bytes").getInt();
  scratchBytes = module->getAttrOfType<IntegerAttr>("kernel.scratch_bytes").getInt();
  rows.emplace(module);
  SymbolTable table(module);
  symbols = &table;

  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  SmallVector<std::pair<std::string, LLVM::LLVMFuncOp>> entries;
  for (func::FuncOp function : functions)
    entries.emplace_back(function.getName().str(), lowerEntry(function));
  emitProgram(entries);

  for (func::FuncOp function : functions)
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
