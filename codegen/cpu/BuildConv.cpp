//===- BuildConv.cpp - Kernels anchored by a convolution ------------------===//
//
// Hands the convolution to the template that was chosen for it (Template.h); where none suits, to the generic one.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Template.h"

using namespace Halide;

namespace resin::codegen {

/// The template that was chosen, or the best untuned; none if no template suits.
static TemplateChoice choiceOf(const ConvProblem &conv, const Knobs &knobs) {
  if (knobs.empty())
    return chooseTemplate(conv, Numerics::Fast);
  const Template *row = findTemplate(knobs);
  if (!row || !row->suits(conv))
    throw CompileError("no template takes the knobs " + printKnobs(knobs));
  return {row, knobs.numbers()};
}

bool buildConv(const KernelSpec &spec, const KernelMachine &machine, BuiltKernel &kernel, const Knobs &knobs) {
  const int node = findConvolution(spec);
  if (node < 0)
    return false;
  if (!canDescribe(spec, node))
    throw CompileError("a convolution reads another node of its kernel");
  const std::vector<ImageParam> operands = makeOperands(spec);
  const ImageParam piece = makePiece(spec);
  ConvKernel conv{describeConv(spec, machine, node), machine.frugal, operands, piece,
                  Epilogue(spec, operands, node, piece)};
  if (conv.epilogue.values().empty())
    throw CompileError("a convolution that only sums, and stores nothing, has no template");
  const auto [row, numbers] = choiceOf(conv, knobs);
  if (row && !row->fits(conv, numbers))
    throw CompileError("the knobs " + printKnobs(row->named(numbers)) + " do not fit the convolution");
  if (row)
    row->build(conv, numbers, kernel.outputs);
  else if (conv.pointsTile())
    throw CompileError("a filter at Winograd's points needs an image of whole blocks, with its ring");
  else
    buildConvGeneric(conv, kernel.outputs);
  kernel.arguments.assign(conv.operands.begin(), conv.operands.end());
  if (conv.piece.defined())
    kernel.arguments.push_back(conv.piece);
  return true;
}

} // namespace resin::codegen
