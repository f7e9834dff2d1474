//===- Shape.cpp - Nodes that only move elements --------------------------===//
//
// Each maps an index of its result to one of its operand.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/Values.h"

using namespace Halide;

namespace resin::codegen {

namespace {

std::vector<Value> relayout(const KernelNode &node, const std::vector<Value> &v, Stages &) { return {v[0]}; }

/// The piece's range of a dimension. In the padding behind a range there are zeros, not the next one.
std::vector<Value> part(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const int64_t dim = node.integer("dim"), extent = node.results[0].shape[dim];
  const Expr number = node.integer("piece_of") > 1 ? stages.pieceNumber() : Expr(0);
  return {{node.results[0], [=](const Index &i) {
             Index whole = i;
             if (i[dim].isSplit() && extent % kChannelBlock == 0) {
               whole[dim] = {i[dim].block() + number * int(extent / kChannelBlock), i[dim].lane(), false};
               return v[0].at(whole);
             }
             whole[dim] = min(i[dim].whole(), int(extent) - 1) + number * int(extent);
             return maskPadding(i[dim], extent, v[0].at(whole));
           }}};
}

std::vector<Value> subsample(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const int stride = node.integer("stride");
  return {{node.results[0], [=](const Index &i) {
             return v[0].at({i[0], i[1], i[2].whole() * stride, i[3].whole() * stride});
           }}};
}

std::vector<Value> subsampleGrad(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const int stride = node.integer("stride");
  return {{node.results[0], [=](const Index &i) {
             Expr y = i[2].whole(), x = i[3].whole();
             return select(y % stride == 0 && x % stride == 0, v[0].at({i[0], i[1], y / stride, x / stride}), 0.f);
           }}};
}

/// The first `channels` channels of a value that has more or less of them.
Value resizeChannels(const KernelNode &node, const Value &v) {
  const int64_t have = v.shape[1], want = node.results[0].shape[1];
  return {node.results[0], [=](const Index &i) {
            Index inside = i;
            if (want <= have)
              return maskPadding(i[1], want, v.at(i));
            const int haveBlocks = blocksOf(have);
            if (!i[1].isSplit()) {
              inside[1] = Coordinate(min(i[1].whole(), int(have) - 1));
              return select(i[1].whole() < int(have), v.at(inside), 0.f);
            }
            // Lanes beyond `have` in its last block are zero by the rule of values.
            inside[1] = Coordinate(min(i[1].block(), haveBlocks - 1), i[1].lane(), have % kChannelBlock != 0);
            return select(i[1].block() < haveBlocks, v.at(inside), 0.f);
          }};
}

std::vector<Value> resize(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  return {resizeChannels(node, v[0])};
}

std::vector<Value> flatten(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const int h = v[0].shape[2], w = v[0].shape[3];
  const int64_t features = node.results[0].shape[1];
  return {{node.results[0], [=](const Index &i) {
             Expr f = i[1].mayExceed() ? min(i[1].whole(), int(features) - 1) : i[1].whole();
             return maskPadding(i[1], features, v[0].at({i[0], f / (h * w), f / w % h, f % w}));
           }}};
}

std::vector<Value> unflatten(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const std::vector<int64_t> &shape = node.results[0].shape;
  const int c = shape[1], h = shape[2], w = shape[3];
  return {{node.results[0], [=](const Index &i) {
             Expr channel = i[1].mayExceed() ? min(i[1].whole(), c - 1) : i[1].whole();
             return maskPadding(i[1], c, v[0].at({i[0], (channel * h + i[2].whole()) * w + i[3].whole()}));
           }}};
}

} // namespace

const NodeFamily &shapeNodes() {
  static const NodeFamily rows = {
      {"relayout", relayout},   {"part", part},
      {"subsample", subsample}, {"subsample_grad", subsampleGrad},
      {"pad_channels", resize}, {"take_channels", resize},
      {"flatten", flatten},     {"unflatten", unflatten},
  };
  return rows;
}

} // namespace resin::codegen
