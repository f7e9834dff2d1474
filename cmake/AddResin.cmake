# How a folder becomes a library: its *.cpp, and those of the FOLDERS in it, are its source list.
#
#   add_resin_library(NAME [FOLDERS folders...] [LINK libs...])         support/, machine/, tuning/: no MLIR, no Halide
#   add_resin_mlir_library(NAME [FOLDERS folders...] [LINK libs...])    sees MLIR's headers; without RTTI, as MLIR is
#   resin_use_mlir_headers(NAME)                                        the same for an executable of one's own
#   add_resin_halide_library(NAME [FOLDERS folders...] [LINK libs...])  sees Halide's; with RTTI and exceptions, so too
#
# The three kinds of include path are never on one target, so no file can include both MLIR and Halide.

list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
separate_arguments(LLVM_DEFINITIONS_LIST NATIVE_COMMAND "${LLVM_DEFINITIONS}")

add_library(resin_options INTERFACE)
target_include_directories(resin_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
target_compile_options(resin_options INTERFACE -Wall -Wextra -Wno-unused-parameter)
if(RESIN_ASAN)
  target_compile_options(resin_options INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer
    -fno-sanitize=vptr)
  target_link_options(resin_options INTERFACE -fsanitize=address,undefined)
endif()

add_library(resin_mlir_options INTERFACE)
target_link_libraries(resin_mlir_options INTERFACE resin_options)
target_include_directories(resin_mlir_options SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
target_compile_definitions(resin_mlir_options INTERFACE ${LLVM_DEFINITIONS_LIST})
target_compile_options(resin_mlir_options INTERFACE -fno-rtti)
# A precompiled header says nothing of the times of its inputs (the build knows those): a compiler cache may hand out
# the one that another checkout made.
target_compile_options(resin_mlir_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp")

# MLIR's headers cost ten seconds a file; read once into a precompiled header they cost half a second.
# Only what is in every file's reach anyway: a file still includes what it uses.
function(resin_use_mlir_headers name)
  target_link_libraries(${name} PUBLIC resin_mlir_options)
  target_precompile_headers(${name} REUSE_FROM ResinMlirHeaders)
  get_target_property(type ${name} TYPE)
  if(type STREQUAL EXECUTABLE) # as the precompiled header was: PIC, where CMake would say PIE
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIC)
  endif()
endfunction()

function(resin_sources out)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE folders)
  list(TRANSFORM folders APPEND /*.cpp)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp ${folders})
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

function(add_resin_library name)
  cmake_parse_arguments(ARG "" "" "LINK;FOLDERS" ${ARGN})
  resin_sources(sources ${ARG_FOLDERS})
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC resin_options ${ARG_LINK})
endfunction()

function(add_resin_mlir_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS;FOLDERS" ${ARGN})
  resin_sources(sources ${ARG_FOLDERS})
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC MLIR LLVM ${ARG_LINK})
  resin_use_mlir_headers(${name})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

function(add_resin_halide_library name)
  cmake_parse_arguments(ARG "" "" "LINK;FOLDERS" ${ARGN})
  resin_sources(sources ${ARG_FOLDERS})
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC resin_options ${ARG_LINK} PRIVATE Halide::Halide)
endfunction()

# Pages of documentation that TableGen writes: every build (or `ninja resin-docs` alone) puts build/docs/<page>.md
# there for each
#   add_resin_doc(PAGE FILE.td mlir-tblgen-flags...)
function(add_resin_doc page definitions)
  set(output ${CMAKE_BINARY_DIR}/docs/${page}.md)
  file(GLOB inputs CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.td)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/docs
    COMMAND ${MLIR_TABLEGEN_EXE} ${ARGN} -I ${MLIR_INCLUDE_DIRS} -I ${CMAKE_SOURCE_DIR}/dialects/Resnet -I
      ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/${definitions} -o ${output}
    DEPENDS ${inputs} VERBATIM)
  add_custom_target(resin-doc-${page} DEPENDS ${output})
  if(NOT TARGET resin-docs)
    add_custom_target(resin-docs ALL)
  endif()
  add_dependencies(resin-docs resin-doc-${page})
endfunction()
