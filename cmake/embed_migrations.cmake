# Turns the migration files into one C++ unit. Called by reeve_embed_migrations at build time.
file(MAKE_DIRECTORY "${OUT}/embedded")
file(WRITE "${OUT}/embedded/migrations.hpp"
     "#pragma once\n#include <span>\n#include <string_view>\nnamespace reeve::embedded {\nstruct migration {\n  std::string_view name;\n  std::string_view sql;\n};\nstd::span<const migration> migrations();\n}\n")
set(rows "")
foreach(path IN LISTS FILES)
  get_filename_component(name "${path}" NAME_WE)
  file(READ "${path}" sql)
  # The delimiter cannot stand in SQL of ours; CMake keeps brackets and semicolons when quoted.
  string(APPEND rows "    {\"${name}\", R\"reeve_sql(${sql})reeve_sql\"},\n")
endforeach()
file(WRITE "${OUT}/migrations.cpp"
     "#include \"embedded/migrations.hpp\"\nnamespace reeve::embedded {\nnamespace {\nconstexpr migration rows[] = {\n${rows}};\n}\nstd::span<const migration> migrations() { return rows; }\n}\n")
