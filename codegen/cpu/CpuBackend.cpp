//===- CpuBackend.cpp - Kernels for x86-64, by Halide ---------------------===//
//
// Convolutions have templates with knobs (Template.h); all other kernels are built in
// one way.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/CpuBackend.h"

#include "codegen/cpu/CompileKernel.h"
#include "codegen/cpu/Template.h"
#include "codegen/cpu/kernels/Values.h"
#include "codegen/cpu/schedules/Winograd.h"

#include <algorithm>

namespace resin::codegen {

namespace {

/// Of a kernel without a convolution, or with one that no template can describe: there is nothing to choose.
class NoKnobs : public KnobSpace {
public:
  explicit NoKnobs(KernelForm form) : form(std::move(form)) {}
  bool accepts(const Knobs &) const override { return false; }
  Knobs untuned(Numerics) const override { return {}; }
  std::vector<Knobs> starts(Numerics) const override { return {}; }
  std::vector<Knobs> neighbours(const Knobs &) const override { return {}; }
  KernelForm formOf(const Knobs &) const override { return form; }

private:
  const KernelForm form;
};

class ConvKnobs : public KnobSpace {
public:
  ConvKnobs(const KernelSpec &spec, const Machine &machine, int node)
      : spec(spec), machine(machine), conv(describeConv(this->spec, this->machine, node)) {}

  bool accepts(const Knobs &knobs) const override {
    const Template *row = findTemplate(knobs);
    return row && row->accepts(conv, knobs.numbers());
  }

  Knobs untuned(Numerics numerics) const override {
    const TemplateChoice choice = chooseTemplate(conv, numerics);
    return choice.row && choice.row->fits(conv, choice.numbers) ? choice.row->named(choice.numbers) : Knobs();
  }

  std::vector<Knobs> starts(Numerics numerics) const override;
  std::vector<Knobs> neighbours(const Knobs &knobs) const override;
  KernelForm formOf(const Knobs &knobs) const override;

private:
  const KernelSpec spec;
  const Machine machine;
  const ConvProblem conv;
};

std::vector<Knobs> ConvKnobs::starts(Numerics numerics) const {
  std::vector<Knobs> result;
  auto add = [&](const Knobs &knobs) {
    if (accepts(knobs) && satisfies(*findTemplate(knobs), numerics) && std::ranges::find(result, knobs) == result.end())
      result.push_back(knobs);
  };
  add(untuned(numerics));
  for (const Template *row : templates())
    if (row->suits(conv))
      add(row->named(row->untuned(conv)));
  for (size_t i = 0, end = result.size(); i < end; ++i) {
    const Template *row = findTemplate(result[i]);
    for (const Numbers &numbers : row->rated(conv, result[i].numbers()))
      add(row->named(numbers));
  }
  return result;
}

std::vector<Knobs> ConvKnobs::neighbours(const Knobs &knobs) const {
  std::vector<Knobs> result;
  if (!accepts(knobs))
    return result;
  const Template &row = *findTemplate(knobs);
  const Numbers numbers = knobs.numbers();
  const std::vector<Numbers> values = row.values(conv);
  for (size_t i = 0; i < numbers.size(); ++i) {
    auto tryWith = [&](int value) {
      Numbers moved = numbers;
      moved[i] = value;
      if (!row.accepts(conv, moved) || row.needs(conv, moved).registers > machine.vectorRegisters)
        return false;
      result.push_back(row.named(moved));
      return true;
    };
    // The nearest on either side that is accepted.
    auto here = std::ranges::find(values[i], numbers[i]);
    for (auto up = here + 1; up != values[i].end() && !tryWith(*up); ++up)
      ;
    for (auto down = here; down != values[i].begin() && !tryWith(*(down - 1)); --down)
      ;
  }
  return result;
}

KernelForm ConvKnobs::formOf(const Knobs &knobs) const {
  const Template *row = findTemplate(knobs);
  if (!row || !row->tile)
    return {row ? row->name : "generic", floatingPointOperations(spec)};
  const std::string tile = std::to_string(row->tile);
  KernelSpec alone = spec;
  alone.nodes = {spec.nodes[conv.node]};
  const int64_t epilogue = floatingPointOperations(spec) - floatingPointOperations(alone),
                pairs = int64_t(conv.shape.c) * conv.shape.k,
                points = winograd::pointsOf(row->tile) * winograd::gridOf(conv.shape, row->tile).all();
  return {"winograd " + tile + "x" + tile, epilogue + 2 * points * pairs};
}

/// Of before knobs had names: their number told the template, and of Winograd's two, of which the tile was the first
/// knob, that.
const Template *findOld(const std::vector<int> &numbers) {
  for (const Template *row : templates())
    if (row->tile ? row->knobs.size() + 1 == numbers.size() && row->tile == numbers[0]
                  : row->knobs.size() == numbers.size())
      return row;
  return nullptr;
}

class CpuBackend : public Backend {
public:
  std::string refusalOf(const KernelSpec &spec) const override {
    for (const KernelNode &node : spec.nodes)
      if (!isConvolution(node) && !findNode(node.op))
        return "there is no kernel for '" + node.op + "'";
    return "";
  }

  std::unique_ptr<KnobSpace> plan(const KernelSpec &spec, const TargetInfo &target) const override {
    const int node = findConvolution(spec);
    KernelForm form{node < 0 ? "" : "generic", floatingPointOperations(spec)};
    if (node < 0 || !canDescribe(spec, node)) // compiling it will say what is wrong
      return std::make_unique<NoKnobs>(std::move(form));
    return std::make_unique<ConvKnobs>(spec, target.machine, node);
  }

  bool knows(const Knobs &knobs) const override { return findTemplate(knobs); }

  bool satisfies(const Knobs &knobs, Numerics numerics) const override {
    const Template *row = findTemplate(knobs);
    return row ? codegen::satisfies(*row, numerics) : numerics == Numerics::Fast;
  }

  std::optional<Knobs> nameOld(const Knobs &nameless) const override {
    Numbers numbers = nameless.numbers();
    const Template *row = nameless.areNameless() ? findOld(numbers) : nullptr;
    if (!row)
      return std::nullopt;
    if (row->tile)
      numbers.erase(numbers.begin());
    return row->named(numbers);
  }

  bool compile(const Job &job, std::string &error) const override { return compileKernel(job, error); }
};

} // namespace

const Backend &cpuBackend() {
  static const CpuBackend backend;
  return backend;
}

} // namespace resin::codegen
