//===- KernelSpecTest.cpp -------------------------------------------------===//

#include "support/KernelSpec.h"

#include <gtest/gtest.h>

#include <random>

using namespace resin;

namespace {

const char *const kConv = "(f32[4,16,32,32]c16h1, f32[16,16,3,3]k16c16) { %2 = conv2d(%0, %1) {dilations=[1,1], "
                          "groups=1, padding=[1,1,1,1], strides=[1,1]} : f32[4,16,32,32]; %3 = channel_sum(%2) "
                          "{pieces=1} : f32[1,16] } -> (%2: f32[4,16,32,32]c16, %3: f32[1,16]c16)";
const char *const kAdam = "(f32[10], f32[10], f32[10], f32[10], f32[], f32[]) { %6, %7, %8 = adam(%0, %1, %2, %3, %4, "
                          "%5) {beta1=0.9, beta2=0.999, decoupled=0, epsilon=1e-08, weight_decay=0.0} : f32[10], "
                          "f32[10], f32[10] } -> (%6: f32[10], %7: f32[10], %8: f32[10])";
const char *const kSlice = "(f32[2,32,7,7]c16h2s512) { %1 = relu(%0) {} : f32[2,32,7,7] } -> (%1: f32[2,32,7,7]h1)";

KernelSpec parsed(const std::string &text) {
  KernelSpec spec;
  std::string error;
  EXPECT_TRUE(parse(text, spec, error)) << error;
  return spec;
}

std::string errorOf(const std::string &text) {
  KernelSpec spec;
  std::string error;
  EXPECT_FALSE(parse(text, spec, error)) << text;
  return error;
}

TEST(KernelSpec, PrintsWhatItRead) {
  for (const char *text : {kConv, kAdam, kSlice})
    EXPECT_EQ(print(parsed(text)), text);
  for (LayoutKind layout : kLayoutKinds) {
    const std::string name = layout == LayoutKind::Dense ? "" : std::string(nameOf(layout)),
                      text = "(f32[2,3,4,5]" + name + ") { } -> ()";
    EXPECT_EQ(parsed(text).operands[0].layout, layout);
    EXPECT_EQ(print(parsed(text)), text);
  }
}

TEST(KernelSpec, ReadsEveryField) {
  KernelSpec spec = parsed(kSlice);
  TensorSpec operand{ElementType::F32, {2, 32, 7, 7}, LayoutKind::C16, 2, 512};
  EXPECT_EQ(spec.operands[0], operand);
  EXPECT_EQ(spec.results[0].halo, 1);
  KernelSpec adam = parsed(kAdam);
  EXPECT_EQ(adam.nodes[0].real("epsilon"), 1e-8);
  EXPECT_EQ(adam.nodes[0].real("weight_decay"), 0.0);
  EXPECT_EQ(adam.nodes[0].integer("decoupled"), 0);
  EXPECT_EQ(parsed(kConv).nodes[0].integers("padding"), (std::vector<int64_t>{1, 1, 1, 1}));
}

// Nothing is four bytes because nobody knows better.
TEST(KernelSpec, EveryValueHasItsType) {
  const KernelSpec spec = parsed("(bf16[4,8], i32[4], u8[3]) { %3 = label_rank(%0, %1) {} : i32[4]; %4 = relu(%0) {} : "
                                 "f16[4,8] } -> (%3: i32[4], %4: f16[4,8])");
  EXPECT_EQ(valuesOf(spec), (std::vector<ValueSpec>{{ElementType::BF16, {4, 8}},
                                                    {ElementType::I32, {4}},
                                                    {ElementType::U8, {3}},
                                                    {ElementType::I32, {4}},
                                                    {ElementType::F16, {4, 8}}}));
  EXPECT_EQ(bytesTouched(spec), 2 * 32 + 4 * 4 + 3 + 4 * 4 + 2 * 32);
  EXPECT_NE(symbol(spec), symbol(parsed(print(spec).replace(1, 4, "f32"))));
}

TEST(KernelSpec, SymbolNamesAnchorShapeAndEpilogue) {
  std::string name = symbol(parsed(kConv));
  EXPECT_EQ(name.substr(0, name.size() - 8), "conv2d_n4c16h32w32k16r3s1__channel_sum__");
  EXPECT_EQ(symbol(parsed(kAdam)).substr(0, 10), "adam_c10__");
  EXPECT_NE(symbol(parsed(kSlice)),
            symbol(parsed("(f32[2,32,7,7]c16h2) { %1 = relu(%0) {} : f32[2,32,7,7] } -> (%1: f32[2,32,7,7]h1)")));
}

TEST(KernelSpec, StorageCountsPaddingHaloAndSlices) {
  auto elements = [](const std::string &tensor) {
    return storageElements(parsed("(" + tensor + ") { } -> ()").operands[0]);
  };
  EXPECT_EQ(elements("f32[]"), 1);
  EXPECT_EQ(elements("f32[2,3,5,7]"), 2 * 3 * 5 * 7);
  EXPECT_EQ(elements("f32[2,3,5,7]h1"), 2 * 3 * 7 * 9);
  EXPECT_EQ(elements("f32[2,3,5,7]c16h1"), 2 * 16 * 7 * 9);
  EXPECT_EQ(elements("f32[17]c16"), 32);
  EXPECT_EQ(elements("f32[3,17]c16"), 3 * 32);
  EXPECT_EQ(elements("f32[10,64]k16"), 16 * 64);
  EXPECT_EQ(elements("f32[20,3,7,7]k16"), 32 * 3 * 49);
  EXPECT_EQ(elements("f32[20,17,3,3]k16c16"), 32 * 32 * 9);
  EXPECT_EQ(elements("f32[8,20,17,3,3]k16c16"), 8 * 32 * 32 * 9);
  EXPECT_EQ(elements("f32[20,17,3,3]c16k16"), 32 * 32 * 9);
  EXPECT_EQ(elements("f32[3,16,7,7]c16s64"), (2 * 64 + 16) * 49);
  EXPECT_EQ(elements("f32[2,32,3,7]c16h1r9"), 3 * 11 * 9 * 16 + 5 * 9 * 16);
  EXPECT_EQ(elements("f32[2,3,3,7]r9"), 5 * 9 * 7 + 3 * 7);
}

// Who writes a band with a halo must know whether it is the first or the last.
TEST(KernelSpec, BandsAskForTheirPiece) {
  auto band = [](const std::string &result) {
    return parsed("(f32[2,32,3,7]c16r9) { %1 = relu(%0) {} : f32[2,32,3,7] } -> (%1: f32[2,32,3,7]" + result + ")");
  };
  EXPECT_TRUE(asksForPiece(band("c16h1r9")));
  EXPECT_EQ(piecesOf(band("c16h1r9")), 3);
  EXPECT_FALSE(asksForPiece(band("c16r9")));
  EXPECT_FALSE(asksForPiece(band("c16h1")));
  EXPECT_EQ(piecesOf(band("c16h1")), 1);
  EXPECT_FALSE(countsPieces(band("c16h1r9")));
}

// It is named after what it does with its part, and moves that part alone.
TEST(KernelSpec, PartsAskForTheirPiece) {
  const KernelSpec spec = parsed("(f32[32,64,3,3]k16c16) { %1 = part(%0) {dim=1, piece_of=4} : f32[32,16,3,3]; %2 = "
                                 "relayout(%1) {} : f32[32,16,3,3] } -> (%2: f32[32,16,3,3]c16k16)");
  EXPECT_TRUE(asksForPiece(spec) && countsPieces(spec));
  EXPECT_EQ(piecesOf(spec), 4);
  EXPECT_EQ(symbol(spec).rfind("relayout_n32c16h3w3__part__", 0), 0u) << symbol(spec);
  EXPECT_EQ(bytesTouched(spec), 2 * 32 * 16 * 9 * 4);
}

TEST(KernelSpec, DropoutAsksForItsPiece) {
  auto dropout = [](const std::string &pieces) {
    return parsed("(f32[2,20], i32[2]) { %2 = dropout(%0, %1) {layer=0, piece_of=" + pieces +
                  ", rate=0.5} : f32[2,20] } -> (%2: f32[2,20])");
  };
  EXPECT_TRUE(asksForPiece(dropout("4")) && countsPieces(dropout("4")));
  EXPECT_EQ(piecesOf(dropout("4")), 4);
  EXPECT_FALSE(asksForPiece(dropout("1")) || countsPieces(dropout("1")));
  EXPECT_EQ(piecesOf(dropout("1")), 1);
}

TEST(KernelSpec, CostsOfAConvolution) {
  KernelSpec spec = parsed(kConv);
  EXPECT_EQ(floatingPointOperations(spec), 2 * (4 * 16 * 32 * 32) * (16 * 9) + 4 * 16 * 32 * 32);
  EXPECT_EQ(bytesTouched(spec), 4 * (4 * 16 * 34 * 34 + 16 * 16 * 9 + 4 * 16 * 32 * 32 + 16));
}

TEST(KernelSpec, MistakesAreNamedWithTheirColumn) {
  EXPECT_EQ(errorOf(""), "column 1: expected '('");
  EXPECT_EQ(errorOf("(f8[2]) { } -> ()"), "column 2: expected a type of f64, f32, bf16, f16, i32, u8");
  EXPECT_EQ(errorOf("(i64[2]) { } -> ()"), "column 2: expected a type of f64, f32, bf16, f16, i32, u8");
  EXPECT_EQ(errorOf("(f32[2]) { %1 = relu(%0) {} : [2] } -> (%1: f32[2])"),
            "column 31: expected a type of f64, f32, bf16, f16, i32, u8");
  EXPECT_EQ(errorOf("(f32[0]) { } -> ()"), "column 6: expected an integer from 1 to 2147483648");
  EXPECT_EQ(errorOf("(f32[02]) { } -> ()"), "column 6: an integer is not written in its shortest form");
  EXPECT_EQ(errorOf("(f32[2]h1) { } -> ()"), "column 10: only images have a halo");
  EXPECT_EQ(errorOf("(f32[2]r4) { } -> ()"), "column 10: only images, with all of their channels, are bands of rows");
  EXPECT_EQ(errorOf("(f32[2,3,9,4]h1r6) { } -> ()"), "column 18: the band has more rows than the tensor");
  EXPECT_EQ(errorOf("(f32[2,3]c16k16) { } -> ()"), "column 16: the layout does not suit rank 2");
  EXPECT_EQ(errorOf("(f32[2]) { %1 = relu(%1) {} : f32[2] } -> ()"), "column 24: %1 is not defined before its use");
  EXPECT_EQ(errorOf("(f32[2]) { %2 = relu(%0) {} : f32[2] } -> ()"),
            "column 14: expected %1: values are numbered in order");
  EXPECT_EQ(errorOf("(f32[2]) { %1 = relu(%0) {} : f32[2] } -> (%1: f32[3])"),
            "column 54: the result is not f32[2], as %1 is");
  EXPECT_EQ(errorOf("(f32[2]) { %1 = relu(%0) {} : f32[2] } -> (%1: f64[2])"),
            "column 54: the result is not f32[2], as %1 is");
  EXPECT_EQ(errorOf("(f32[1,2,3,4]c16h1025) { } -> ()"), "column 22: a halo is at most 1024, not 1025");
  EXPECT_EQ(errorOf("(f32[2,3,4]k16) { } -> ()"), "column 15: the layout does not suit rank 3");
  EXPECT_EQ(errorOf("(f32[2]) { %1 = a(%0) {y=1, x=2} : f32[2] } -> ()"), "column 31: attributes are sorted by name");
  EXPECT_EQ(errorOf("(f32[2]) { } -> () "), "column 19: text after the end");
  EXPECT_EQ(errorOf("(f32[2147483648,2147483648]) { } -> ()"), "column 28: more than 2^40 elements");
  EXPECT_EQ(errorOf("(f32[9223372036854775808]) { } -> ()"), "column 6: expected an integer from 1 to 2147483648");
}

TEST(KernelSpec, GarbageNeverCrashes) {
  std::mt19937 random(1);
  for (const char *text : {kConv, kAdam, kSlice})
    for (int round = 0; round < 20000; ++round) {
      std::string garbled = text;
      for (int edit = 0; edit < 1 + round % 4; ++edit) {
        size_t at = random() % garbled.size();
        switch (random() % 3) {
        case 0:
          garbled[at] = "()[]{}%,;:=. -0123456789aehkcs"[random() % 30];
          break;
        case 1:
          garbled.erase(at, 1 + random() % 5);
          break;
        default:
          garbled.insert(at, garbled.substr(random() % garbled.size(), random() % 9));
        }
        if (garbled.empty())
          garbled = "(";
      }
      KernelSpec spec;
      std::string error;
      if (parse(garbled, spec, error)) {
        std::string again = print(spec);
        KernelSpec twin;
        ASSERT_TRUE(parse(again, twin, error)) << again << ": " << error;
        EXPECT_EQ(twin, spec);
        symbol(spec);
        floatingPointOperations(spec);
        bytesTouched(spec);
      } else {
        EXPECT_FALSE(error.empty());
      }
    }
}

} // namespace
