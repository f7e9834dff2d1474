//===- LayoutRanksTest.cpp - One rule of ranks, at every level ------------===//
//
// A kernel's text, both dialects and a program's manifest take a layout for the ranks
// that support/Layout.h gives it, and for no others.
//
//===----------------------------------------------------------------------===//

#include "dialects/Kernel/Kernel.h"
#include "dialects/Resnet/Resnet.h"
#include "runtime/Manifest.h"

#include <gtest/gtest.h>

using namespace resin;

namespace {

using Shape = std::vector<int64_t>;

bool textTakes(LayoutKind layout, const Shape &shape) {
  TensorSpec tensor{ElementType::F32, shape, layout};
  KernelSpec spec;
  std::string error;
  return parse(print(KernelSpec{{tensor}, {}, {}, {}}), spec, error);
}

/// Of a program whose one variable is such a tensor.
std::string manifestOf(const std::string &type, const std::string &layout, const Shape &shape, int64_t halo) {
  std::string extents;
  for (int64_t extent : shape)
    extents += (extents.empty() ? "" : ", ") + std::to_string(extent);
  return R"({"model": "m", "hash": "h", "target": {"name": "t", "features": []}, "arena_bytes": 33554432,
             "scratch_bytes": 0, "batch": 1, "classes": 2, "image": [3, 4, 4], "recipe": {}, "functions": [],
             "task": {"name": "t", "loss": "l", "inputs": [{"name": "i", "kind": "image"}],
                      "targets": [{"name": "c", "kind": "class"}], "outputs": [{"name": "o", "kind": "scores"}],
                      "metrics": [{"name": "m", "kind": "top-k"}]},
             "variables": [{"name": "w", "role": "parameter", "offset": 0, "type": ")" +
         type + R"(", "layout": ")" + layout + R"(", "halo": )" + std::to_string(halo) + R"(, "shape": [)" + extents +
         "]}]}";
}

std::string complaintOfManifest(const std::string &type, const std::string &layout, const Shape &shape,
                                int64_t halo = 0) {
  const StatusOr<runtime::Manifest> manifest = runtime::parseManifest(manifestOf(type, layout, shape, halo));
  return manifest.ok() ? "" : manifest.status().message();
}

class LayoutRanks : public testing::Test {
protected:
  LayoutRanks() { context.loadDialect<resnet::ResnetDialect, kernel::KernelDialect>(); }

  bool tensorTakes(LayoutKind layout, const Shape &shape, int64_t halo = 0) {
    mlir::ScopedDiagnosticHandler quiet(&context, [](mlir::Diagnostic &) {});
    return bool(mlir::RankedTensorType::getChecked([&] { return mlir::emitError(here()); }, shape,
                                                   mlir::Float32Type::get(&context),
                                                   resnet::LayoutAttr::get(&context, layout, halo)));
  }
  bool viewTakes(LayoutKind layout, const Shape &shape, int64_t halo = 0) {
    mlir::ScopedDiagnosticHandler quiet(&context, [](mlir::Diagnostic &) {});
    return bool(kernel::ViewType::getChecked([&] { return mlir::emitError(here()); }, &context, llvm::ArrayRef(shape),
                                             mlir::Type(mlir::Float32Type::get(&context)), layout, halo, int64_t(0),
                                             int64_t(0)));
  }

private:
  mlir::Location here() { return mlir::UnknownLoc::get(&context); }
  mlir::MLIRContext context;
};

// Of K16 with rank 3 and C16K16 with rank 5 the levels once said different things.
TEST_F(LayoutRanks, AreTheSameAtEveryLevel) {
  for (LayoutKind layout : kLayoutKinds)
    for (size_t rank = 0; rank <= 6; ++rank) {
      SCOPED_TRACE(std::string(nameOf(layout)) + " of rank " + std::to_string(rank));
      const Shape shape(rank, 3);
      const bool legal = hasRank(layout, rank);
      EXPECT_EQ(textTakes(layout, shape), legal);
      EXPECT_EQ(tensorTakes(layout, shape), legal);
      EXPECT_EQ(viewTakes(layout, shape), legal);
      EXPECT_EQ(complaintOfManifest("f32", std::string(nameOf(layout)), shape).empty(), legal);
    }
}

// The runtime once took 4096.
TEST_F(LayoutRanks, HalosAreAsWideAtEveryLevel) {
  for (auto [halo, legal] : {std::pair(1024, true), {1025, false}, {-1, false}}) {
    const Shape shape{1, 1, 1, 1};
    EXPECT_EQ(tensorTakes(LayoutKind::Dense, shape, halo), legal) << halo;
    EXPECT_EQ(viewTakes(LayoutKind::Dense, shape, halo), legal) << halo;
    const bool refused = complaintOfManifest("f32", "dense", shape, halo).find("with a halo of") != std::string::npos;
    EXPECT_EQ(refused, !legal) << halo;
  }
}

TEST_F(LayoutRanks, ManifestsHaveKnownTypes) {
  EXPECT_EQ(complaintOfManifest("f32", "dense", {2}), "");
  EXPECT_NE(complaintOfManifest("i64", "dense", {2}).find("'w' is of the unknown type 'i64'"), std::string::npos);
  EXPECT_NE(complaintOfManifest("i32", "dense", {2}).find("the variable 'w' is of the type 'i32'"), std::string::npos);
}

} // namespace
