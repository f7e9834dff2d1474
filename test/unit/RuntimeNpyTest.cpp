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
  EXPECT_REFUSED(fileOf(good, 0).substr(0, 30), "truncated in its header");
  EXPECT_REFUSED(fileOf(good, 8, 2).substr(0, 11), "truncated in its header");
  EXPECT_REFUSED(fileOf(good, 7), "needs 8 bytes of data, and 7");
  EXPECT_REFUSED(fileOf(good, 9), "needs 8 bytes of data, and 9");
}

TEST(Npy, RefusesOtherElements) {
  EXPECT_REFUSED(fileOf("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", 16), "type '<f8'");
  EXPECT_REFUSED(fileOf("{'descr': '>f4', 'fortran_order': False, 'shape': (2,)}", 8), "type '>f4'");
  EXPECT_REFUSED(fileOf("{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}", 8), "Fortran");
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
