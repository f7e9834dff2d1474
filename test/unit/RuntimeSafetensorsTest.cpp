//===- RuntimeSafetensorsTest.cpp - The strict reader ---------------------===//

#include "support/Safetensors.h"
#include "test/unit/TemporaryFolder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include <sys/stat.h>

using namespace resin;
using namespace resin::safetensors;

namespace {

/// A file of this header and `dataBytes` zeros.
std::string fileOf(const std::string &header, size_t dataBytes, int64_t claimed = -1) {
  const uint64_t length = claimed < 0 ? header.size() : static_cast<uint64_t>(claimed);
  return std::string(reinterpret_cast<const char *>(&length), 8) + header + std::string(dataBytes, '\0');
}

/// What the reader says of these bytes; "" if it takes them.
std::string refusal(const std::string &bytes) {
  TemporaryFolder folder;
  folder.write("x.safetensors", bytes);
  StatusOr<File> file = File::read(folder / "x.safetensors");
  if (file.ok())
    return "";
  EXPECT_EQ(file.status().code(), ExitCode::BadData);
  EXPECT_EQ(file.status().message().find(folder / "x.safetensors"), 0u) << "the message names the file";
  return file.status().message().substr((folder / "x.safetensors: ").size());
}

#define EXPECT_REFUSED(bytes, part) EXPECT_NE(refusal(bytes).find(part), std::string::npos) << refusal(bytes)

const char *kGood = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";

TEST(Safetensors, ReadsWhatIsWritten) {
  TemporaryFolder folder;
  const float numbers[] = {1, 2, 3, 4, 5, 6, 7};
  std::string text = header({{"b", {2, 3}}, {"a \"quoted\"", {}}, {"empty", {0, 4}}}, {{"key", "a\nvalue"}});
  EXPECT_EQ(text.size() % 8, 0u);
  folder.write("x", text + std::string(reinterpret_cast<const char *>(numbers), sizeof numbers));
  StatusOr<File> file = File::read(folder / "x");
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(file->metadata().at("key"), "a\nvalue");
  ASSERT_EQ(file->entries().size(), 3u);
  const Entry *b = file->find("b"), *a = file->find("a \"quoted\"");
  ASSERT_TRUE(a && b && file->find("empty"));
  EXPECT_EQ(file->find("none"), nullptr);
  EXPECT_EQ(b->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(*file->floats(*b), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(*file->floats(*a), std::vector<float>{7});
}

/// The elements of a file with one tensor "x" of this type.
StatusOr<std::vector<float>> converted(const std::string &type, const std::string &bytes, size_t elementBytes) {
  TemporaryFolder folder;
  folder.write("x", fileOf(concat(R"({"x":{"dtype":")", type, R"(","shape":[)", bytes.size() / elementBytes,
                                  R"(],"data_offsets":[0,)", bytes.size(), "]}}"),
                           0) +
                        bytes);
  StatusOr<File> file = File::read(folder / "x");
  EXPECT_TRUE(file.ok()) << file.status().message();
  EXPECT_TRUE(isFloatingPoint(*file->find("x")));
  return file->floats(*file->find("x"));
}

template <typename T, size_t N> std::string bytesOf(const T (&numbers)[N]) {
  return std::string(reinterpret_cast<const char *>(numbers), sizeof numbers);
}

TEST(Safetensors, ConvertsOtherFloatingPointTypes) {
  EXPECT_EQ((*converted("F64", bytesOf({3.14159, -0x1p-149}), 8)), (std::vector<float>{3.14159f, -0x1p-149f}));
  // 1.5, the smallest subnormal, minus infinity, minus two.
  EXPECT_EQ((*converted("F16", bytesOf<uint16_t>({0x3e00, 0x0001, 0xfc00, 0xc000}), 2)),
            (std::vector<float>{1.5f, 0x1p-24f, -INFINITY, -2}));
  EXPECT_EQ((*converted("BF16", bytesOf<uint16_t>({0xc040}), 2)), std::vector<float>{-3});
  EXPECT_FALSE(isFloatingPoint({"x", "I64", {1}, 0, 8}));
  EXPECT_EQ(converted("F64", bytesOf({double(INFINITY), 1.0}), 8)->front(), INFINITY) << "as it stands there";
}

TEST(Safetensors, RefusesNumbersThatF32CannotHold) {
  const StatusOr<std::vector<float>> numbers = converted("F64", bytesOf({1.0, 2.0, -1e300}), 8);
  EXPECT_EQ(numbers.status().code(), ExitCode::BadData);
  EXPECT_TRUE(numbers.status().message().ends_with("'x' holds a number of type F64 at [2] that f32 cannot hold"))
      << numbers.status().message();
}

// What was read is held in parts of a megabyte.
TEST(Safetensors, ReadsTensorsLargerThanAPart) {
  std::vector<float> numbers(700'001);
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<float>(i);
  EXPECT_EQ(*converted("F32", std::string(reinterpret_cast<const char *>(numbers.data()), 4 * numbers.size()), 4),
            numbers);
}

TEST(Safetensors, TakesTensorsOfAnyType) {
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  EXPECT_EQ(refusal(fileOf("{" + a + R"(,"b":{"dtype":"F4","shape":[3],"data_offsets":[8,10]}})", 10)), "");
}

TEST(Safetensors, SaysWhatAnotherFileIs) {
  const std::string rest(100, '.');
  EXPECT_REFUSED("version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "is a Git LFS pointer");
  EXPECT_REFUSED("<!DOCTYPE html><html><title>404</title></html>", "is a web page");
  EXPECT_REFUSED("\n\xef\xbb\xbf <html>" + rest, "not a safetensors file");
  EXPECT_REFUSED("\xef\xbb\xbf\n <html>" + rest, "is a web page");
  EXPECT_REFUSED(std::string("PK\x03\x04\0\0\x08\x08", 8) + rest, "is a zip archive, as torch.save (.pth, .pt)");
  EXPECT_REFUSED("\x80\x02\x8a\nl\xfc\x9c\x46\xf9" + rest, "is a Python pickle");
  EXPECT_REFUSED("\x89HDF\r\n\x1a\n" + rest, "is an HDF5 file");
  EXPECT_REFUSED("{\"weight_map\": {}}" + rest, "is JSON text");
  EXPECT_REFUSED("\x93NUMPY" + rest, "is a .npy file; a safetensors file is needed");
  // A header of 640 bytes begins as a pickle does.
  std::string header = kGood;
  header.resize(640, ' ');
  EXPECT_EQ(refusal(fileOf(header, 8)), "");
}

TEST(Safetensors, RefusesLyingHeaders) {
  EXPECT_EQ(refusal(fileOf(kGood, 8)), "");
  EXPECT_REFUSED("", "only 0 bytes");
  EXPECT_REFUSED("1234567", "only 7 bytes");
  EXPECT_REFUSED(fileOf(kGood, 8, 1 << 20), "header should have 1048576 bytes");
  EXPECT_REFUSED(fileOf(kGood, 8, INT64_MAX), "header should have 9223372036854775807");
  EXPECT_REFUSED(std::string(8, '\xff'), "header should have 18446744073709551615");
  EXPECT_REFUSED(fileOf(kGood, 8, 20), "not valid JSON at byte");
}

TEST(Safetensors, RefusesDataThatDoNotFit) {
  EXPECT_REFUSED(fileOf(kGood, 7), "is cut short: it wants 8 bytes of data, and has 7");
  EXPECT_REFUSED(fileOf(kGood, 9), "bytes 8 to 9 of the data belong to no tensor");
  EXPECT_REFUSED(fileOf("{}", 1), "bytes 0 to 1 of the data belong to no tensor");
  EXPECT_REFUSED(fileOf(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8), "does not fit its 8 bytes");
  EXPECT_REFUSED(fileOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), "lies at bytes 8 to 0");
  EXPECT_REFUSED(fileOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}})", 8),
                 "does not fit");
  // 2^62 * 4 * 4 is 0 in 64 bits.
  EXPECT_REFUSED(fileOf(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0),
                 "does not fit");
  EXPECT_REFUSED(fileOf(R"({"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,0]}})", 0),
                 "has an extent of");
}

TEST(Safetensors, RefusesOverlapsAndHoles) {
  auto two = [](const char *second) {
    return concat(
        R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":)",
        second, "}}");
  };
  EXPECT_EQ(refusal(fileOf(two("[8,16]"), 16)), "");
  EXPECT_REFUSED(fileOf(two("[4,12]"), 12), "'b' overlaps 'a' at byte 4");
  EXPECT_REFUSED(fileOf(two("[0,8]"), 8), "overlaps");
  EXPECT_REFUSED(fileOf(two("[12,20]"), 20), "bytes 8 to 12 of the data belong to no tensor");
}

TEST(Safetensors, RefusesOtherJson) {
  EXPECT_REFUSED(fileOf(R"({"a":{"dtype":7}})", 0), "unexpected number in 'a', 'dtype'");
  EXPECT_REFUSED(fileOf("[]", 0), "the header is array, not an object");
  EXPECT_REFUSED(fileOf("7", 0), "the header is number");
  EXPECT_REFUSED(fileOf("{", 0), "not valid JSON");
  EXPECT_REFUSED(fileOf("{}x", 0), "not valid JSON");
  EXPECT_REFUSED(fileOf("{\"\xff\":1}", 0), "not valid JSON");
  EXPECT_REFUSED(fileOf(R"({"a":1})", 0), "unexpected number in 'a'");
  EXPECT_REFUSED(fileOf(R"({"a":{}})", 0), "'a' lacks 'dtype'");
  EXPECT_REFUSED(fileOf(R"({"a":{"dtype":"F32","shape":[-1]}})", 0), "negative number");
  EXPECT_REFUSED(fileOf(R"({"a":{"dtype":"F32","shape":[1.5]}})", 0), "fraction");
  EXPECT_REFUSED(fileOf(R"({"a":{"dtype":"F32","shape":[[1]]}})", 0), "unexpected array");
  EXPECT_REFUSED(fileOf(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4,8]}})", 4), "3 numbers instead of 2");
  EXPECT_REFUSED(fileOf(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"extra":"x"}})", 4),
                 "unexpected string");
  EXPECT_REFUSED(fileOf(R"({"__metadata__":{"a":1}})", 0), "unexpected number");
  EXPECT_REFUSED(fileOf(std::string(100000, '['), 0), "the header is array");
}

TEST(Safetensors, RefusesNamesThatComeTwice) {
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  EXPECT_REFUSED(fileOf("{" + a + "," + a + "}", 8), "'a' comes twice");
  EXPECT_REFUSED(fileOf(R"({"a":{"dtype":"F32","dtype":"F32"}})", 8), "'dtype' comes twice in 'a'");
  EXPECT_REFUSED(fileOf(R"({"a":{"shape":[1],"shape":[1]}})", 8), "'shape' comes twice in 'a'");
  EXPECT_REFUSED(fileOf(R"({"__metadata__":{},"__metadata__":{}})", 0), "'__metadata__' comes twice");
  EXPECT_REFUSED(fileOf(R"({"__metadata__":{"k":"1","k":"2"}})", 0), "'k' comes twice");
}

TEST(Safetensors, SaysWhatIsMissing) {
  EXPECT_EQ(File::read("/nonexistent/x").status().code(), ExitCode::NoInput);
  EXPECT_EQ(File::read("/").status().code(), ExitCode::NoInput);
  TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(File::read(folder / "pipe").status().message(), folder / "pipe: is not a file") << "and does not wait";
}

} // namespace
