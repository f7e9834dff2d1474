//===- ForeignFile.h - What a file of the wrong kind is ---------*- C++ -*-===//

#ifndef RESIN_SUPPORT_FOREIGNFILE_H
#define RESIN_SUPPORT_FOREIGNFILE_H

#include <string>
#include <string_view>

namespace resin {

/// As many bytes of a file as are needed to tell.
inline constexpr size_t kForeignHead = 64;

/// What a file that begins like this is, if it is one of those that people have in place of weights and arrays:
/// "is a zip archive, ..."; "" if it is none of them.
std::string foreignFormat(std::string_view head);

} // namespace resin

#endif // RESIN_SUPPORT_FOREIGNFILE_H
