#pragma once
// A place in a list, as clients get it with a page and send it back for the next one: opaque, and
// bound to its list, because a place in another one would leave rows out without a word. It is no
// secret: who makes one up asks for a place, and gets what he may see anyway.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve {

/// What makes a list: what it is of, its filters, its direction; not the size of its pages.
using list_parts = std::vector<std::string>;

std::string cursor_in(const list_parts& list, std::string_view place);
/// The place; nothing for what is no cursor of this list.
std::optional<std::string> place_in(const list_parts& list, std::string_view cursor);

}  // namespace reeve
