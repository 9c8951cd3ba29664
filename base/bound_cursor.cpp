#include "base/bound_cursor.hpp"

#include "base/digest.hpp"

namespace reeve {
namespace {

constexpr std::size_t longest = 512;
// Lists are told apart, nobody is kept out: 64 bits are enough.
constexpr std::size_t cursor_tag_bytes = 8;

std::string tag_of(const list_parts& list) {
  sha256_hasher hash;
  for (const auto& part : list) {
    hash.update(std::to_string(part.size()));
    hash.update(":");
    hash.update(part);
  }
  const auto whole = hash.finish();
  return std::string(as_view(whole).substr(0, cursor_tag_bytes));
}

}  // namespace

std::string cursor_in(const list_parts& list, std::string_view place) {
  return to_base64url(tag_of(list).append(place));
}

std::optional<std::string> place_in(const list_parts& list, std::string_view cursor) {
  if (cursor.size() > longest) return std::nullopt;
  const auto bytes = from_base64url(cursor);
  if (!bytes || !bytes->starts_with(tag_of(list))) return std::nullopt;
  return bytes->substr(cursor_tag_bytes);
}

}  // namespace reeve
