//===- Choices.h - What tuning records choose for a program -----*- C++ -*-===//

#ifndef RESIN_DRIVER_CHOICES_H
#define RESIN_DRIVER_CHOICES_H

#include "driver/Compiler.h"

#include "codegen/host/ManifestWriter.h"
#include "tuning/ChooseKnobs.h"

namespace resin {

/// The records that the program is built by.
tuning::KnobChooser readRecords(const BuildOptions &options, const Lowered &lowered);

/// Says of each entry function how it is to be fused, where that is not as usual.
void chooseFusion(const BuildOptions &options, mlir::ModuleOp module, const tuning::KnobChooser &chooser,
                  Lowered &lowered, ManifestTarget &target);

/// Asks the tuning records for the knobs of each kernel, and counts where they came from.
void chooseKnobs(const tuning::KnobChooser &chooser, std::vector<KernelSpec> specs, Lowered &lowered,
                 ManifestTarget &counts);

} // namespace resin

#endif // RESIN_DRIVER_CHOICES_H
