//===- TemporaryFolder.h - A folder for one test ----------------*- C++ -*-===//

#ifndef RESIN_TEST_UNIT_TEMPORARYFOLDER_H
#define RESIN_TEST_UNIT_TEMPORARYFOLDER_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

/// Made empty, removed with everything in it.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "resin-test-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  TemporaryFolder(const TemporaryFolder &) = delete;

  /// The path of a file in it.
  std::string operator/(const std::string &name) const { return path + "/" + name; }

  void write(const std::string &name, const std::string &bytes) const {
    std::filesystem::create_directories(std::filesystem::path(*this / name).parent_path());
    std::ofstream(*this / name, std::ios::binary) << bytes;
  }
  std::string read(const std::string &name) const {
    std::ifstream file(*this / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

private:
  std::string path;
};

#endif // RESIN_TEST_UNIT_TEMPORARYFOLDER_H
