#pragma once
// Numbers, and numbers with their units, as log_mask.hpp masks them.

#include <cstddef>
#include <string_view>

namespace reeve::tasks {

/// Bytes of the number at the start, with fraction and exponent; a fraction only if what follows is
/// not a version ("1.2.3").
std::size_t number_size(std::string_view text);

struct quantity {
  std::size_t size = 0;  // bytes; 0: there is none
  bool is_size = false;  // of memory, else of time
};

/// Some unit begins with this byte.
bool may_begin_unit(char c);

/// "17ms", "1.5 s", "1h2m3.5s", "12 KB".
quantity take_quantity(std::string_view text);

}  // namespace reeve::tasks
