# Turns FILE into a C++ unit with its bytes. Called by reeve_embed_file at build time.
file(READ "${FILE}" hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${hex}")
# One literal of at most 64 KiB a line is what every compiler accepts; adjacent ones are joined.
string(REGEX REPLACE "((\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?)" "\"\\1\"\n"
       lines "${bytes}")
file(MAKE_DIRECTORY "${OUT}/embedded")
file(WRITE "${OUT}/embedded/${SYMBOL}.hpp"
     "#pragma once\n#include <string_view>\nnamespace reeve::embedded {\nstd::string_view ${SYMBOL}();\n}\n")
file(WRITE "${OUT}/${SYMBOL}.cpp"
     "#include \"embedded/${SYMBOL}.hpp\"\nnamespace reeve::embedded {\nnamespace {\nconst char bytes[] =\n${lines};\n}\nstd::string_view ${SYMBOL}() { return {bytes, ${size}}; }\n}\n")
