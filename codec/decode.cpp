#include "codec/decode.hpp"

namespace reeve::codec::detail {
namespace {

/// False when a key was left out: what lies below it is left out too.
bool append_place(std::string& pointer, const place* at) {
  if (at == nullptr) return true;
  if (!append_place(pointer, at->parent)) return false;
  if (at->key.data() == nullptr) {
    append_pointer(pointer, std::to_string(at->index));
    return true;
  }
  return append_name(pointer, at->key);
}

}  // namespace

bool decoder::invalid(std::string detail, const place* at) {
  invalid_ = reject(errc::invalid, std::move(detail), pointer_to(at));
  return false;
}

void decoder::missing_field(const place* at) {
  if (!missing_) missing_ = reject(errc::invalid, "is required", pointer_to(at));
}

void decoder::unknown_field(const place* at) {
  if (!unknown_) unknown_ = reject(errc::unknown_field, "is not a known field", pointer_to(at));
}

bool decoder::wrong_enum(const std::string_view* names, std::size_t count, const place* at) {
  std::string detail = "must be one of ";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) detail += ", ";
    detail += names[i];
  }
  return invalid(std::move(detail), at);
}

bool decoder::out_of_range(const std::string& least, const std::string& most, const place* at) {
  return invalid("must be an integer from " + least + " to " + most, at);
}

std::string decoder::pointer_to(const place* at) const {
  std::string pointer = root_;
  append_place(pointer, at);
  return pointer;
}

}  // namespace reeve::codec::detail
