# Finds Halide in the unpacked wheel that cmake/setup.sh lays under .deps/halide
# (or under HALIDE_ROOT). Halide's own CMake package wants CMake 3.28.
#
# Defines Halide::Halide.

find_path(HALIDE_INCLUDE_DIR Halide.h HINTS ${HALIDE_ROOT} $ENV{HALIDE_ROOT} ${CMAKE_SOURCE_DIR}/.deps/halide
    PATH_SUFFIXES include NO_DEFAULT_PATH)
find_library(HALIDE_LIBRARY Halide HINTS ${HALIDE_ROOT} $ENV{HALIDE_ROOT} ${CMAKE_SOURCE_DIR}/.deps/halide PATH_SUFFIXES
    lib64 lib NO_DEFAULT_PATH)
if(HALIDE_INCLUDE_DIR)
  file(STRINGS ${HALIDE_INCLUDE_DIR}/HalideRuntime.h HALIDE_MAJOR_LINE REGEX "#define HALIDE_VERSION_MAJOR [0-9]+")
  file(STRINGS ${HALIDE_INCLUDE_DIR}/HalideRuntime.h HALIDE_MINOR_LINE REGEX "#define HALIDE_VERSION_MINOR [0-9]+")
  string(REGEX MATCH "[0-9]+$" Halide_MAJOR "${HALIDE_MAJOR_LINE}")
  string(REGEX MATCH "[0-9]+$" Halide_MINOR "${HALIDE_MINOR_LINE}")
  set(Halide_VERSION ${Halide_MAJOR}.${Halide_MINOR})
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Halide REQUIRED_VARS HALIDE_LIBRARY HALIDE_INCLUDE_DIR VERSION_VAR Halide_VERSION
  REASON_FAILURE_MESSAGE
  "Run cmake/setup.sh, or set HALIDE_ROOT to an unpacked Halide 21 (include/ and lib64/libHalide.so)")

if(Halide_FOUND AND NOT TARGET Halide::Halide)
  add_library(Halide::Halide SHARED IMPORTED)
  set_target_properties(Halide::Halide PROPERTIES IMPORTED_LOCATION ${HALIDE_LIBRARY})
  target_include_directories(Halide::Halide SYSTEM INTERFACE ${HALIDE_INCLUDE_DIR})
endif()
