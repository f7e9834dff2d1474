//===- RuntimeNpyTest.cpp - .npy files ------------------------------------===//

#include "support/Npy.h"
#include "test/unit/TemporaryFolder.h"

#include <gtest/gtest.h>

using namespace resin;

namespace {

std::string fileOf(const std::string &dictionary, size_t dataBytes, char version = 1) {
  const uint32_t length = static_cast<uint32_t>(dictionary.size());
  return std::string("\x93NUMPY") + version + '\0' +
         std::string(reinterpret_cast<const char *>(&length), version == 1 ? 2 : 4) + dictionary +
         std::string(dataBytes, '\0');
}

std::string refusal(const std::string &bytes) {
  TemporaryFolder folder;
  folder.write("x.npy", bytes);
  StatusOr<npy::Array> array = npy::read(folder / "x.npy");
  if (array.ok())
    return "";
  EXPECT_EQ(array.status().code(), ExitCode::BadData);
  return array.status().message().substr((folder / "x.npy: ").size());
}

#define EXPECT_REFUSED(bytes, part) EXPECT_NE(refusal(bytes).find(part), std::string::npos) << refusal(bytes)

TEST(Npy, ReadsWhatIsWritten) {
  TemporaryFolder folder;
  const std::vector<float> numbers = {1, 2, 3, 4, 5, 6};
  for (const std::vector<int64_t> &shape : {std::vector<int64_t>{2, 3}, {6}, {1, 2, 3, 1}}) {
    ASSERT_TRUE(npy::write(folder / "x.npy", shape, numbers).ok());
    EXPECT_EQ((folder.read("x.npy").size() - 24) % 64, 0u) << "the data starts at a multiple of 64";
    StatusOr<npy::Array> array = npy::read(folder / "x.npy");
    ASSERT_TRUE(array.ok()) << array.status().message();
    EXPECT_EQ(array->shape, shape);
    EXPECT_EQ(array->elements, numbers);
  }
}

TEST(Npy, ReadsScalarsAndEmptyArrays) {
  TemporaryFolder folder;
  const float one = 1;
  ASSERT_TRUE(npy::write(folder / "x.npy", {}, {&one, 1}).ok());
  EXPECT_EQ(npy::read(folder / "x.npy")->shape.size(), 0u);
  ASSERT_TRUE(npy::write(folder / "x.npy", std::vector<int64_t>{0, 10}, {}).ok());
  EXPECT_EQ(npy::read(folder / "x.npy")->shape, (std::vector<int64_t>{0, 10}));
}

TEST(Npy, ReadsWhatNumPyWrites) {
  const std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }          \n";
  for (char version : {1, 2, 3})
    EXPECT_EQ(refusal(fileOf(dictionary, 8, version)), "");
  EXPECT_EQ(refusal(fileOf("{'shape': (1, 2), 'fortran_order': False, 'descr': '<f4'}", 8)), "");
}

TEST(Npy, RefusesOtherFiles) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  EXPECT_REFUSED("", "not a .npy file");
  EXPECT_REFUSED("\x93NUMPX\x01\x00\x00\x00", "not a .npy file");
  EXPECT_REFUSED(fileOf(good, 8, 4), "version 4");
  EXPECT_REFUSED(fileOf(good, 0).substr(0, 30), "cut short in its header");
  EXPECT_REFUSED(fileOf(good, 8, 2).substr(0, 11), "cut short in its header");
  EXPECT_REFUSED(fileOf(good, 7), "is cut short: its shape needs 8 bytes of data, and 7");
  EXPECT_REFUSED(fileOf(good, 9), "its shape needs 8 bytes of data, and 9");
  EXPECT_REFUSED("\xff\xd8\xff\xe0" + std::string(50, '.'), "is a JPEG picture; a .npy file is needed");
  EXPECT_REFUSED("PK\x03\x04" + std::string(50, '.'), "is a zip archive");
}

/// The elements of an array of `type` and `shape` with these bytes.
std::vector<float> elementsOf(const std::string &type, const std::string &shape, const std::string &bytes,
                              const char *fortran = "False") {
  TemporaryFolder folder;
  folder.write("x.npy",
               fileOf("{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + "}", 0) +
                   bytes);
  StatusOr<npy::Array> array = npy::read(folder / "x.npy");
  EXPECT_TRUE(array.ok()) << array.status().message();
  return array.ok() ? array->elements : std::vector<float>();
}

template <typename T> std::string bytesOf(const std::vector<T> &numbers) {
  return std::string(reinterpret_cast<const char *>(numbers.data()), sizeof(T) * numbers.size());
}

TEST(Npy, ConvertsEveryType) {
  const std::vector<float> wanted = {0, 1, 2, 100};
  EXPECT_EQ(elementsOf("|u1", "(4,)", std::string("\0\1\2\x64", 4)), wanted);
  EXPECT_EQ(elementsOf("<u1", "(4,)", std::string("\0\1\2\x64", 4)), wanted);
  EXPECT_EQ(elementsOf("|i1", "(2,)", "\xff\x64"), (std::vector<float>{-1, 100}));
  EXPECT_EQ(elementsOf("<u2", "(4,)", bytesOf<uint16_t>({0, 1, 2, 100})), wanted);
  EXPECT_EQ(elementsOf("<i2", "(2,)", bytesOf<int16_t>({-300, 100})), (std::vector<float>{-300, 100}));
  EXPECT_EQ(elementsOf("<i4", "(4,)", bytesOf<int32_t>({0, 1, 2, 100})), wanted);
  EXPECT_EQ(elementsOf("<u4", "(4,)", bytesOf<uint32_t>({0, 1, 2, 100})), wanted);
  EXPECT_EQ(elementsOf("<i8", "(4,)", bytesOf<int64_t>({0, 1, 2, 100})), wanted);
  EXPECT_EQ(elementsOf("<u8", "(4,)", bytesOf<uint64_t>({0, 1, 2, 100})), wanted);
  EXPECT_EQ(elementsOf("<f4", "(4,)", bytesOf<float>({0, 1, 2, 100})), wanted);
  EXPECT_EQ(elementsOf("<f8", "(4,)", bytesOf<double>({0, 1, 2, 100})), wanted);
  EXPECT_EQ(elementsOf("<f2", "(4,)", bytesOf<uint16_t>({0, 0x3c00, 0x4000, 0x5640})), wanted);
  EXPECT_EQ(elementsOf(">f4", "(2,)", std::string("\x3f\x80\0\0\x42\xc8\0\0", 8)), (std::vector<float>{1, 100}));
  EXPECT_EQ(elementsOf(">u2", "(2,)", std::string("\0\1\1\0", 4)), (std::vector<float>{1, 256}));
}

// numpy.asfortranarray: the first index runs fastest.
TEST(Npy, PutsFortransOrderIntoCs) {
  EXPECT_EQ(elementsOf("|u1", "(2, 3)", std::string("\0\3\1\4\2\5", 6), "True"),
            (std::vector<float>{0, 1, 2, 3, 4, 5}));
  // x[i, j, k] = 6i + 2j + k, of shape [2, 3, 2].
  EXPECT_EQ(elementsOf("|u1", "(2, 3, 2)", std::string("\0\6\2\x08\4\x0a\1\7\3\x09\5\x0b", 12), "True"),
            (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(elementsOf("|u1", "(2,)", "\1\2", "True"), (std::vector<float>{1, 2}));
  EXPECT_EQ(elementsOf("|u1", "()", "\1", "True"), std::vector<float>{1});
  EXPECT_EQ(elementsOf("|u1", "(0, 4611686018427387904, 4)", "", "True"), std::vector<float>());
}

TEST(Npy, RefusesOtherElements) {
  for (const char *type : {"|O", "|b1", "<c8", "|S4", "<U2", "<f16", "|f4", "<f3", "<", "", "f4", "=f4", "<M8[s]"})
    EXPECT_REFUSED(fileOf(concat("{'descr': '", type, "', 'fortran_order': False, 'shape': (2,)}"), 8),
                   concat("holds elements of type '", type, "'; integers and floating-point numbers"));
  EXPECT_REFUSED(fileOf("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", 8) + bytesOf<double>({1e39}),
                 "element 1 of the file is a number of type '<f8' that float32 cannot hold");
}

TEST(Npy, RefusesHostileHeaders) {
  EXPECT_REFUSED(fileOf("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", 0), "2^64");
  for (const char *dictionary :
       {"", "{", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False, 'shape': (2}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} import os",
        "{'descr': '<f4', 'descr': '<f4', 'shape': (2,)}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}"})
    EXPECT_REFUSED(fileOf(dictionary, 8), "not a dictionary of");
}

TEST(Npy, LeavesNothingBehindWhereItCannotWrite) {
  EXPECT_EQ(npy::write("/nonexistent/x.npy", {}, {}).code(), ExitCode::CannotCreate);
  EXPECT_EQ(npy::read("/nonexistent/x.npy").status().code(), ExitCode::NoInput);
}

} // namespace
