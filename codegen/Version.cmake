# Writes OUTPUT: a header with the hash of all SOURCES and Halide's version, on
# which cached objects depend.
set(text "Halide ${HALIDE}")
foreach(source IN LISTS SOURCES)
  file(SHA256 ${source} hash)
  string(APPEND text " ${hash}")
endforeach()
string(SHA256 version "${text}")
string(SUBSTRING ${version} 0 16 version)
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define RESIN_CODEGEN_VERSION \"@version@\"\n" @ONLY)
