//===- InterpretPass.h - `resin-opt --interpret` ----------------*- C++ -*-===//

#ifndef RESIN_DIALECTS_RESNET_INTERPRETPASS_H
#define RESIN_DIALECTS_RESNET_INTERPRETPASS_H

namespace resin::resnet {

/// Registers `--interpret="function=NAME ..."`: runs a function and prints its results.
void registerInterpretPass();

} // namespace resin::resnet

#endif // RESIN_DIALECTS_RESNET_INTERPRETPASS_H
