//===- Choices.cpp - What tuning records choose for a program -------------===//

#include "driver/Choices.h"

#include "codegen/Backends.h"
#include "codegen/KernelLibrary.h"
#include "dialects/Resnet/Fusion.h"
#include "driver/Cache.h"
#include "passes/EntryPoints.h"
#include "tuning/TuningDatabase.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace resin;

/// What an entry function computes and on what shapes, whatever the numbers in its attributes: these change nothing
/// about how it is best fused.
static std::string signatureOf(func::FuncOp function) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  function.walk([&](Operation *op) {
    stream << op->getName() << " " << op->getOperandTypes() << " " << op->getResultTypes() << "\n";
  });
  return llvm::formatv("entry {0} {1:x-16}", function.getName(), resin::hash(std::string_view(text)));
}

tuning::KnobChooser resin::readRecords(const BuildOptions &options, const Lowered &lowered) {
  std::vector<tuning::TuningRecord> user, shipped;
  if (options.tuning && options.emit >= Stage::Layout) {
    std::string userWarning, shippedWarning;
    user = tuning::readDatabase(tuningDatabase(options.database), userWarning);
    shipped = tuning::readRecordLines(tuning::shippedRecords(), shippedWarning);
    for (const std::string &warning : {userWarning, shippedWarning})
      if (!warning.empty() && !options.quiet)
        llvm::errs() << "resin: warning: " << warning << "\n";
  }
  return tuning::KnobChooser(user, shipped, lowered.target, tuning::cpuModel(), codegen::codegenVersion(),
                             lowered.numerics);
}

void resin::chooseFusion(const BuildOptions &options, ModuleOp module, const tuning::KnobChooser &chooser,
                         Lowered &lowered, ManifestTarget &target) {
  for (auto function : module.getOps<func::FuncOp>()) {
    const std::string name = function.getName().str();
    if (name != kTrainStep && !StringRef(name).starts_with(kPredict))
      continue;
    lowered.entries.push_back({name, signatureOf(function), ""});
    if (auto given = options.fusion.find(name); given != options.fusion.end()) {
      resnet::setFusionKnobs(function, given->second);
      continue;
    }
    const tuning::FusionChoice choice = chooser.chooseFusion(lowered.entries.back().signature);
    if (choice.source == tuning::KnobSource::Default)
      continue;
    target.fusion[name] = (choice.source == tuning::KnobSource::Tuned ? "tuned: " : "borrowed: ") + print(choice.knobs);
    if (choice.knobs != usualFusion(lowered.target.machine))
      resnet::setFusionKnobs(function, choice.knobs);
  }
}

void resin::chooseKnobs(const tuning::KnobChooser &chooser, std::vector<KernelSpec> specs, Lowered &lowered,
                        ManifestTarget &counts) {
  for (KernelSpec &spec : specs) {
    tuning::KnobChoice choice = chooser.choose(spec);
    counts.tuned += choice.source == tuning::KnobSource::Tuned;
    counts.borrowed += choice.source == tuning::KnobSource::Borrowed;
    counts.untuned += choice.source == tuning::KnobSource::Default;
    const std::unique_ptr<codegen::KnobSpace> space = codegen::backendOf(lowered.target).plan(spec, lowered.target);
    const Knobs knobs = choice.knobs.empty() ? space->untuned() : choice.knobs;
    if (choice.source != tuning::KnobSource::Fixed)
      ++counts.templates[knobs.form];
    counts.choices.push_back(symbol(spec) + " " + printKnobs(knobs));
    if (const codegen::KernelForm form = space->formOf(knobs); !form.name.empty())
      counts.forms[symbol(spec)] = {form.name, form.operations};
    lowered.kernels.push_back({std::move(spec), std::move(choice.knobs)});
  }
}
