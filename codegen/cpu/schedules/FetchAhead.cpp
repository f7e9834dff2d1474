//===- FetchAhead.cpp - Cache lines on their way before they are used -----===//

#include "codegen/cpu/schedules/FetchAhead.h"

using namespace Halide;

namespace resin::codegen {

static constexpr const char *kFetchLine = "resin_fetch_line";
static constexpr int kLineFloats = 16;

Expr fetchLine(const std::string &storage, Expr offset) {
  return Internal::Call::make(Int(32), kFetchLine, {Internal::StringImm::make(storage), std::move(offset)},
                              Internal::Call::PureExtern);
}

Expr LowerFetches::visit(const Internal::Call *op) {
  using namespace Internal;
  if (op->name != kFetchLine)
    return IRMutator::visit(op);
  const std::string &storage = op->args[0].as<StringImm>()->value;
  return Call::make(Int(32), Call::prefetch, {Variable::make(type_of<void *>(), storage), op->args[1], 1, 1},
                    Call::Intrinsic);
}

LinesAhead linesOf(const std::string &storage, const TensorSpec &tensor, const ActivationPart &part) {
  assert(tensor.layout == LayoutKind::C16 && tensor.shape.size() == 4 && "blocked activations have lines of channels");
  const std::vector<StorageDimension> dimensions = storageDimensions(tensor); // ki, x, y, block, image
  const int rowFloats = dimensions[2].stride, planeFloats = dimensions[3].stride, imageFloats = dimensions[4].stride;
  return {storage, part.images * part.blocks, part.rows * rowFloats / kLineFloats, [=](Expr plane) {
            Expr image = part.image + plane / part.blocks, block = part.block + plane % part.blocks;
            return image * imageFloats + block * planeFloats + (part.row - dimensions[2].min) * rowFloats;
          }};
}

static int divideUp(int a, int b) { return (a + b - 1) / b; }

Expr fetchShare(const std::vector<LinesAhead> &ahead, const FetchTurn &turn) {
  Expr fetches = 0;
  for (const LinesAhead &all : ahead) {
    // Whole planes at a step, or equal parts of one.
    const int planes = divideUp(all.planes, turn.steps), parts = std::max(1, turn.steps / all.planes),
              lines = divideUp(all.lines, parts), each = divideUp(lines, turn.passes);
    for (int p = 0; p < planes; ++p) {
      Expr plane = parts > 1 ? turn.step / parts : turn.step * planes + p,
           first = all.offset(min(plane, all.planes - 1)) + turn.step % parts * (lines * kLineFloats);
      for (int i = 0; i < divideUp(each, turn.parts); ++i) {
        Expr line = i * turn.parts + turn.part;
        fetches =
            fetches + select(line < each, fetchLine(all.storage, first + (turn.pass * each + line) * kLineFloats), 0);
      }
    }
  }
  return cast<float>(fetches);
}

void fetchDuring(const Func &f, const Expr &fetch) {
  using namespace Internal;
  Function function = f.function();
  Expr &value = function.update(f.num_update_definitions() - 1).values()[0];
  const Expr whole = substitute_in_all_lets(value);
  const Add *sum = whole.as<Add>();
  assert(sum && "the update adds");
  // To the term, which the sum waits for anyway.
  value = common_subexpression_elimination(sum->a + (sum->b + fetch));
}

} // namespace resin::codegen
