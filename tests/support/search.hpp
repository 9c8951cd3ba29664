#pragma once
// Looking for a text everywhere, in the forms in which it could have been kept: so that "it is
// stored nowhere" can be tested, and can fail.

#include "tests/support/pg.hpp"

#include <string>
#include <vector>

namespace support {

/// The text as hex digits, base64, percent-encoded, and with every character as \uXXXX.
std::string hex_of(const std::string& text);
std::string base64_of(const std::string& text);
std::string url_encoded(const std::string& text);
std::string json_escaped(const std::string& text);

/// Pieces of the text, each at least 12 bytes long, in every one of these forms; the base64 of a
/// piece at all three alignments, without the characters that depend on its neighbours.
std::vector<std::string> traces_of(const std::string& text);

/// The traces that stand in `haystack`, in any case of letters.
std::vector<std::string> found_in(const std::string& haystack,
                                  const std::vector<std::string>& traces);

/// "schema.table.column" of every column of every table of the database that holds one of them,
/// catalogues and statistics included.
std::vector<std::string> columns_with(pg& database, const std::vector<std::string>& traces);

}  // namespace support
