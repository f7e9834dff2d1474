//===- ResnetOps.td - The ops of the resnet dialect, a file a family ------===//

#ifndef RESNET_OPS
#define RESNET_OPS

include "StateOps.td"
include "ConvOps.td"
include "WinogradOps.td"
include "NormOps.td"
include "PointwiseOps.td"
include "PoolOps.td"
include "ShapeOps.td"
include "DenseOps.td"
include "LossOps.td"
include "OptimizerOps.td"
include "FusionOps.td"

#endif
