#pragma once
// What somebody may have meant who wrote a word that is none.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::cli {

/// How many letters are to be put in, left out, exchanged for another one or with their neighbour
/// (optimal string alignment) to make one word of the other.
std::size_t distance_of(std::string_view one, std::string_view other);

/// Those of the words that are nearest, in their order; none if even these are too far away: more
/// than two slips, or more than one for each three letters. Of more than 64 bytes nothing is near.
std::vector<std::string> nearest_of(std::string_view word, const std::vector<std::string>& words);

}  // namespace reeve::cli
