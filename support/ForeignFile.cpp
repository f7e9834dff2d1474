//===- ForeignFile.cpp - What a file of the wrong kind is -----------------===//

#include "support/ForeignFile.h"

using namespace resin;

namespace {
struct Format {
  std::string_view start;
  const char *what;
};
} // namespace

static constexpr std::string_view operator""_bytes(const char *text, size_t length) { return {text, length}; }

static constexpr Format kFormats[] = {
    {"version https://git-lfs", "is a Git LFS pointer, not the file itself: 'git lfs pull' fetches that"},
    {"PK\x03\x04"_bytes, "is a zip archive, as torch.save (.pth, .pt) and numpy.savez write them"},
    {"\x80\x02"_bytes, "is a Python pickle, as older versions of torch.save write them"},
    {"\x80\x03"_bytes, "is a Python pickle"},
    {"\x80\x04"_bytes, "is a Python pickle"},
    {"\x80\x05"_bytes, "is a Python pickle"},
    {"\x89HDF"_bytes, "is an HDF5 file, as Keras writes them"},
    {"\x93NUMPY"_bytes, "is a .npy file"},
    {"\x1f\x8b"_bytes, "is compressed by gzip"},
    {"\x89PNG"_bytes, "is a PNG picture"},
    {"\xff\xd8\xff"_bytes, "is a JPEG picture"},
    {"GGUF", "is a GGUF file"},
    {"<", "is a web page (HTML or XML), not the file itself: its download went wrong"},
    {"{", "is JSON text, such as the index of weights in several files"},
};

std::string resin::foreignFormat(std::string_view head) {
  // Pages and texts may begin with white space or a byte order mark.
  const size_t text = head.starts_with("\xef\xbb\xbf") ? 3 : 0;
  const size_t first = std::min(head.find_first_not_of(" \t\r\n", text), head.size());
  for (const Format &format : kFormats)
    if (head.starts_with(format.start) || head.substr(first).starts_with(format.start))
      return format.what;
  return "";
}
