# Targets by folder: src/<name>/*.cc is library baton_<name>, tests/unit/<name>/*_test.cc is unit_<name>.
include_guard()

find_package(OpenSSL 3 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(Threads REQUIRED)
find_package(CLI11 REQUIRED)
find_package(mimalloc REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(SPANDSP REQUIRED IMPORTED_TARGET spandsp)
pkg_check_modules(OPUS REQUIRED IMPORTED_TARGET opus)
pkg_check_modules(SNDFILE REQUIRED IMPORTED_TARGET sndfile)

add_library(baton_flags INTERFACE)
target_include_directories(baton_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(baton_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
# g++ 12 takes the moves of std::variant for reads of what was never written, once it optimises.
target_compile_options(baton_flags INTERFACE $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:RelWithDebInfo>>:-Wno-maybe-uninitialized>)
if(BATON_WERROR)
  target_compile_options(baton_flags INTERFACE -Werror)
endif()
if(BATON_SANITIZE)
  # Not vptr: it needs a pipe of its own to look at memory, and reports an error when a test takes all descriptors.
  # Not null and object-size: what they would find, the address sanitizer does, and they are a fifth of the build.
  target_compile_options(baton_flags INTERFACE -fsanitize=address,undefined -fno-sanitize=vptr,null,object-size
                                               -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(baton_flags INTERFACE -fsanitize=address,undefined)
endif()
if(BATON_FUZZ)
  target_compile_options(baton_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# What most sources include, compiled once where everything is built for tests; without it a fifth of that build is reading these
# headers. A source still names what it uses: tidy.self_contained_headers and the release build hold it to that.
if(BATON_SANITIZE)
  file(WRITE ${CMAKE_BINARY_DIR}/headers.cc "// Its header alone is wanted.\n")
  add_library(baton_headers OBJECT ${CMAKE_BINARY_DIR}/headers.cc)
  target_link_libraries(baton_headers PRIVATE baton_flags)
  target_precompile_headers(baton_headers PRIVATE <algorithm> <array> <chrono> <cstdint> <cstring> <deque> <functional> <map> <memory> <optional> <set>
                            <span> <string> <string_view> <tl/expected.hpp> <unordered_map> <utility> <variant> <vector>)
endif()

# A folder without sources yet is an interface library, so that headers alone can be used.
function(baton_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")  # of an executable, so that the rest of its folder can be tested
  list(TRANSFORM ARG_DEPENDS PREPEND baton_)
  if(sources)
    add_library(baton_${name} STATIC ${sources})
    target_link_libraries(baton_${name} PUBLIC baton_flags ${ARG_DEPENDS} ${ARG_LINK})
    if(TARGET baton_headers AND NOT name MATCHES "^(app|metrics)$")  # those are built without optimisation
      target_precompile_headers(baton_${name} REUSE_FROM baton_headers)
    endif()
  else()
    add_library(baton_${name} INTERFACE)
    target_link_libraries(baton_${name} INTERFACE baton_flags ${ARG_DEPENDS} ${ARG_LINK})
  endif()
endfunction()

# The executable is src/<folder>/main.cc on the folder's library.
function(baton_executable target folder)
  add_executable(${target} ${PROJECT_SOURCE_DIR}/src/${folder}/main.cc)
  target_link_libraries(${target} PRIVATE baton_flags baton_${folder})
  if(NOT BATON_SANITIZE)
    # A shard allocates much and small, and the store's thread gives back what a shard took: free lists of each
    # thread's own save a sixth of a call's CPU.
    target_link_libraries(${target} PRIVATE mimalloc)
  endif()
endfunction()
