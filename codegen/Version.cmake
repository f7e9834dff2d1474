# Writes OUTPUT: a header with the hash of all SOURCES and Halide's version, on
# which cached objects and tuning records depend. Comments and white space do not
# count: what they change is no code.
set(text "Halide ${HALIDE}")
foreach(source IN LISTS SOURCES)
  file(READ ${source} code)
  string(REGEX REPLACE "//[^\n]*" "" code "${code}")
  string(REGEX REPLACE "[ \t\r\n]+" "" code "${code}")
  string(SHA256 hash "${code}")
  string(APPEND text " ${hash}")
endforeach()
string(SHA256 version "${text}")
string(SUBSTRING ${version} 0 16 version)
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define RESIN_CODEGEN_VERSION \"@version@\"\n" @ONLY)
