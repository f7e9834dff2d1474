//===- KernelLibraryTest.cpp - Objects, cache, targets --------------------===//

#include "codegen/KernelLibrary.h"
#include "codegen/LoadedKernels.h"
#include "machine/Targets.h"

#include <gtest/gtest.h>

#include <cstring>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace resin;
using namespace resin::codegen;

namespace {

KernelSpec spec(const std::string &text) {
  KernelSpec result;
  std::string error;
  EXPECT_TRUE(parse(text, result, error)) << error;
  return result;
}

const std::vector<std::string> kTexts = {
    "(f32[2,16,8,8]c16) { %1 = relu(%0) {} : f32[2,16,8,8] } -> (%1: f32[2,16,8,8]c16h1)",
    "(f32[4,10], i32[4]) { %2 = cross_entropy(%0, %1) {label_smoothing=0.1} : f32[4] } -> (%2: f32[4])",
    "(f32[20], f32[20], f32[20], f32[20], f32[], f32[]) { %6, %7, %8 = adam(%0, %1, %2, %3, %4, %5) {beta1=0.9, "
    "beta2=0.999, decoupled=0, epsilon=1e-08, weight_decay=0.0} : f32[20], f32[20], f32[20] } -> (%6: f32[20], %7: "
    "f32[20], %8: f32[20])",
    "(f32[64,2048]) { %1 = batch_sum(%0) {} : f32[2048] } -> (%1: f32[2048]c16)",
    "(f32[2,64,28,28]c16, f32[2,64,28,28]c16) { %2 = relu_grad(%0, %1) {} : f32[2,64,28,28]; %3 = channel_sum(%2) "
    "{pieces=1} : f32[1,64] } -> (%2: f32[2,64,28,28]c16, %3: f32[1,64]c16)",
};

std::vector<KernelSpec> specs() {
  std::vector<KernelSpec> result;
  for (const std::string &text : kTexts)
    result.push_back(spec(text));
  return result;
}

std::vector<CompiledKernel> compiled(const std::vector<KernelSpec> &specs, const CompileOptions &options = {}) {
  std::vector<CompiledKernel> kernels;
  std::string error;
  EXPECT_TRUE(compileKernels(specs, options, kernels, error)) << error;
  return kernels;
}

/// A folder for one test.
struct Folder {
  std::string path = (std::filesystem::temp_directory_path() / "resin-test-XXXXXX").string();
  Folder() { EXPECT_TRUE(mkdtemp(path.data())); }
  ~Folder() { std::filesystem::remove_all(path); }
};

struct ElfSymbol {
  std::string name;
  bool defined;
};

/// The global symbols of an ELF object.
std::vector<ElfSymbol> globals(const std::string &object) {
  Elf64_Ehdr header;
  EXPECT_GE(object.size(), sizeof(header));
  std::memcpy(&header, object.data(), sizeof(header));
  EXPECT_EQ(std::memcmp(header.e_ident, ELFMAG, SELFMAG), 0);
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  std::memcpy(sections.data(), object.data() + header.e_shoff, sections.size() * sizeof(Elf64_Shdr));
  std::vector<ElfSymbol> result;
  for (const Elf64_Shdr &section : sections) {
    if (section.sh_type != SHT_SYMTAB)
      continue;
    std::vector<Elf64_Sym> symbols(section.sh_size / sizeof(Elf64_Sym));
    std::memcpy(symbols.data(), object.data() + section.sh_offset, symbols.size() * sizeof(Elf64_Sym));
    for (const Elf64_Sym &symbol : symbols)
      if (ELF64_ST_BIND(symbol.st_info) != STB_LOCAL)
        result.push_back(
            {object.data() + sections[section.sh_link].sh_offset + symbol.st_name, symbol.st_shndx != SHN_UNDEF});
  }
  return result;
}

// LLVM turns loops of zeros into memset; every C library has that.
TEST(KernelLibrary, AnObjectDefinesItsSymbolAndNeedsNone) {
  for (const char *target : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    for (const CompiledKernel &kernel : compiled(specs(), {.target = target, .jobs = 0, .cacheDirectory = ""})) {
      auto symbols = globals(kernel.object);
      std::erase_if(symbols, [](const ElfSymbol &symbol) {
        return !symbol.defined && (symbol.name == "memset" || symbol.name == "memcpy");
      });
      ASSERT_EQ(symbols.size(), 1u) << kernel.symbol << " for " << target << " has " << symbols.back().name;
      EXPECT_EQ(symbols[0].name, kernel.symbol);
      EXPECT_TRUE(symbols[0].defined);
    }
}

TEST(KernelLibrary, TheSameSpecGivesTheSameBytes) {
  auto all = specs();
  auto first = compiled(all, {.target = "host", .jobs = 2, .cacheDirectory = ""});
  std::reverse(all.begin(), all.end());
  auto second = compiled(all, {.target = "host", .jobs = 1, .cacheDirectory = ""});
  std::reverse(second.begin(), second.end());
  for (size_t i = 0; i < first.size(); ++i)
    EXPECT_EQ(first[i].object, second[i].object) << first[i].symbol;
}

TEST(KernelLibrary, RepetitionsAreCompiledOnce) {
  KernelSpec one = spec(kTexts[0]), other = spec(kTexts[1]);
  auto kernels = compiled({one, other, one});
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[1].symbol, symbol(other));
}

TEST(KernelLibrary, TheCacheGivesBackWhatWasKept) {
  Folder folder;
  CompileOptions options{.cacheDirectory = folder.path + "/not/yet/there"};
  auto first = compiled(specs(), options), second = compiled(specs(), options);
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_FALSE(first[i].cached);
    EXPECT_TRUE(second[i].cached);
    EXPECT_EQ(first[i].object, second[i].object);
  }
  options.target = "v2"; // another key
  EXPECT_FALSE(compiled({spec(kTexts[0])}, options)[0].cached);
}

TEST(KernelLibrary, DamagedCacheEntriesAreRebuilt) {
  Folder folder;
  CompileOptions options{.cacheDirectory = folder.path};
  KernelSpec one = spec(kTexts[0]);
  std::string good = compiled({one}, options)[0].object;
  auto entry = std::filesystem::directory_iterator(folder.path)->path();
  std::string bytes;
  {
    std::ifstream file(entry, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  std::vector<std::string> damaged = {"", bytes.substr(0, 20), bytes.substr(0, bytes.size() - 1), bytes + "x", bytes};
  damaged.back()[bytes.size() - 100] ^= 1;
  damaged.push_back(bytes);
  damaged.back().replace(15, 8, 8, '\xff'); // a huge length
  for (const std::string &text : damaged) {
    std::ofstream(entry, std::ios::binary | std::ios::trunc) << text;
    auto again = compiled({one}, options);
    EXPECT_FALSE(again[0].cached);
    EXPECT_EQ(again[0].object, good);
    EXPECT_TRUE(compiled({one}, options)[0].cached);
  }
}

TEST(KernelLibrary, ACacheThatCannotBeUsedIsAWarning) {
  Folder folder;
  std::ofstream(folder.path + "/file") << "in the way";
  std::vector<CompiledKernel> kernels;
  std::string error, warning;
  EXPECT_TRUE(compileKernels({spec(kTexts[0])}, {.cacheDirectory = folder.path + "/file"}, kernels, error, &warning));
  EXPECT_NE(warning.find("cache"), std::string::npos) << warning;
}

TEST(KernelLibrary, WhatCannotBeBuiltIsAMessage) {
  auto errorOf = [](const std::string &text) {
    std::vector<CompiledKernel> kernels;
    std::string error;
    EXPECT_FALSE(compileKernels({spec(text)}, {}, kernels, error)) << text;
    return error;
  };
  EXPECT_NE(errorOf("(f32[2]) { %1 = frobnicate(%0) {} : f32[2] } -> (%1: f32[2])")
                .find("there is no kernel for 'frobnicate'"),
            std::string::npos);
  for (const char *type : {"bf16", "f16", "u8"}) // once they had four bytes
    EXPECT_NE(errorOf(std::string("(") + type + "[2]) { %1 = relu(%0) {} : f32[2] } -> (%1: f32[2])")
                  .find(std::string("no template computes with ") + type),
              std::string::npos);
  EXPECT_NE(errorOf("(f32[2]) { %1 = add(%0) {} : f32[2] } -> (%1: f32[2])").find("'add' takes 2 operands, not 1"),
            std::string::npos);
  EXPECT_NE(errorOf("(f32[2,16,4,4]c16) { %1 = subsample(%0) {} : f32[2,16,2,2] } -> (%1: f32[2,16,2,2]c16)")
                .find("'subsample' needs the attribute 'stride'"),
            std::string::npos);
  EXPECT_NE(errorOf("(f32[2]c16, f32[2]c16, f32[2]c16, f32[]) { %4, %5 = sgd(%0, %1, %2, %3) {momentum=0.9, "
                    "nesterov=0, weight_decay=1e+39} : f32[2], f32[2] } -> (%4: f32[2]c16, %5: f32[2]c16)")
                .find("'sgd' cannot compute with 'weight_decay', which f32 does not hold"),
            std::string::npos);
  EXPECT_NE(errorOf("(f32[1,16,4,4]c16, f32[16,16,1,1]k16c16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=1, "
                    "padding=[0,0,0,0], strides=[1,1]} : f32[1,16,4,4]; %3 = channel_sum(%2) {pieces=1} : f64[1,16] } "
                    "-> (%3: f64[1,16]c16)")
                .find("a convolution that only sums, and stores nothing, has no template"),
            std::string::npos);
  std::string two = errorOf(
      "(f32[2]) { %1 = sgd(%0, %0, %0, %0) {momentum=1, nesterov=0, weight_decay=0.0} : f32[2] } -> (%1: f32[2])");
  EXPECT_NE(two.find("'sgd' has 2 results, not 1"), std::string::npos) << two;
}

TEST(KernelLibrary, OneFailureLeavesTheOthers) {
  std::vector<CompiledKernel> kernels;
  std::string error;
  EXPECT_FALSE(compileKernels({spec("(f32[2]) { %1 = frobnicate(%0) {} : f32[2] } -> (%1: f32[2])"), spec(kTexts[0])},
                              {}, kernels, error));
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 0);
  EXPECT_FALSE(kernels[1].object.empty());
}

TEST(Targets, NamesAndFeatures) {
  TargetInfo target;
  std::string error;
  for (const char *name : {"v4", "x86-64-v4"}) {
    ASSERT_TRUE(findTarget(name, target, error));
    EXPECT_EQ(target.name, "x86-64-v4");
    EXPECT_EQ(target.features.back(), "avx512vl");
  }
  ASSERT_TRUE(findTarget("host", target, error)) << error;
  EXPECT_TRUE(missingFeatures(target).empty());
  for (const char *name : {"", "v5", "x86-64-", "x86-64-host", "avx2"}) {
    EXPECT_FALSE(findTarget(name, target, error));
    EXPECT_NE(error.find("unknown target"), std::string::npos);
  }
}

} // namespace
