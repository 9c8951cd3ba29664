# Files that travel inside the program.
#
# reeve_embed_file(TARGET SYMBOL FILE DEPENDS…) makes `reeve::embedded::SYMBOL()`, a
# std::string_view over the file's bytes (declared in "embedded/SYMBOL.hpp").
# reeve_embed_migrations(TARGET) makes `reeve::embedded::migrations()`: name and text of every
# migrations/*.sql in order of their numbers.
# reeve_list_routes(TARGET) makes `reeve::embedded::resources` (declared in "embedded/routes.hpp"): the
# function NAME_routes of every api/routes/NAME.cpp, in order of their names.

function(reeve_embed_file target symbol file)
  set(dir "${CMAKE_BINARY_DIR}/embedded")
  add_custom_command(
    OUTPUT "${dir}/embedded/${symbol}.hpp" "${dir}/${symbol}.cpp"
    COMMAND "${CMAKE_COMMAND}" -DSYMBOL=${symbol} -DFILE=${file} -DOUT=${dir} -P
            "${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake"
    DEPENDS ${ARGN} "${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake"
    VERBATIM)
  target_sources(${target} PRIVATE "${dir}/embedded/${symbol}.hpp" "${dir}/${symbol}.cpp")
  target_include_directories(${target} PRIVATE "${dir}")
endfunction()

function(reeve_embed_migrations target)
  file(GLOB migrations CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/migrations/*.sql")
  set(dir "${CMAKE_BINARY_DIR}/embedded")
  add_custom_command(
    OUTPUT "${dir}/embedded/migrations.hpp" "${dir}/migrations.cpp"
    COMMAND "${CMAKE_COMMAND}" -DSYMBOL=migrations "-DFILES=${migrations}" -DOUT=${dir} -P
            "${CMAKE_SOURCE_DIR}/cmake/embed_migrations.cmake"
    DEPENDS ${migrations} "${CMAKE_SOURCE_DIR}/cmake/embed_migrations.cmake"
    VERBATIM)
  target_sources(${target} PRIVATE "${dir}/embedded/migrations.hpp" "${dir}/migrations.cpp")
  target_include_directories(${target} PRIVATE "${dir}")
endfunction()

function(reeve_list_routes target)
  file(GLOB files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/api/routes/*.cpp")
  # What handlers share, and what a standby serves too.
  list(FILTER files EXCLUDE REGEX "/(common|health)[.]cpp$")
  set(declared "")
  set(listed "")
  foreach(path IN LISTS files)
    get_filename_component(name "${path}" NAME_WE)
    string(APPEND declared "std::vector<route> ${name}_routes(services&);\n")
    string(APPEND listed "    api::${name}_routes,\n")
  endforeach()
  set(dir "${CMAKE_BINARY_DIR}/embedded")
  file(CONFIGURE OUTPUT "${dir}/embedded/routes.hpp" @ONLY CONTENT
"#pragma once
#include \"api/services.hpp\"
namespace reeve::api {
${declared}}
namespace reeve::embedded {
inline constexpr std::vector<api::route> (*resources[])(api::services&) = {
${listed}};
}
")
  target_include_directories(${target} PRIVATE "${dir}")
endfunction()
