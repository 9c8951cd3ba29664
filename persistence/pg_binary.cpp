#include "persistence/pg_binary.hpp"

#include "base/digest.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>

namespace reeve::persistence {
namespace {

// Dimensions, flags, element type, then the length and the lower bound of the one dimension.
constexpr std::size_t at_flags = 4, at_length = 12, header = 20, empty_header = 12;

template <class Integer>
std::optional<Integer> parse(std::string_view text) {
  Integer value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<std::string> parse_bytes(std::string_view text) {
  if (!text.starts_with("\\x")) return std::nullopt;
  return from_hex(text.substr(2));
}

std::string_view bytes_of_id(const uuid& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

}  // namespace

type_oid oid_of(std::string_view type) {
  static constexpr std::array<std::pair<std::string_view, type_oid>, 6> known{{
      {"text", oid_text},
      {"uuid", oid_uuid},
      {"bigint", oid_bigint},
      {"int", oid_int},
      {"boolean", oid_boolean},
      {"bytea", oid_bytea},
  }};
  for (const auto& [name, oid] : known) {
    if (name == type) return oid;
  }
  return 0;
}

binary_array::binary_array(type_oid element, std::size_t bytes) {
  out_.reserve(header + bytes);
  out_.assign(header, '\0');
  put(0, 1);
  put(8, element);
  put(16, 1);
}

void binary_array::put(std::size_t at, std::uint32_t value) {
  for (int i = 3; i >= 0; --i, value >>= 8) {
    out_[at + static_cast<std::size_t>(i)] = static_cast<char>(value);
  }
}

void binary_array::number(std::uint64_t value, int bytes) {
  // Network byte order; the machines that Reeve runs on have the other one.
  static_assert(std::endian::native == std::endian::little);
  const auto swapped = __builtin_bswap64(value);
  std::array<char, 8> text;
  std::memcpy(text.data(), &swapped, text.size());
  out_.append(text.data() + 8 - bytes, static_cast<std::size_t>(bytes));
}

void binary_array::begin_row(std::size_t columns) {
  row_ = out_.size();
  number(0, 4);
  number(columns, 4);
  ++count_;
}

void binary_array::end_row() {
  put(row_, static_cast<std::uint32_t>(out_.size() - row_ - 4));
  row_ = 0;
}

void binary_array::head(type_oid type, std::int32_t bytes) {
  if (row_ != 0) {
    number(type, 4);
  } else {
    ++count_;
    has_null_ = has_null_ || bytes < 0;
  }
  number(static_cast<std::uint32_t>(bytes), 4);
}

void binary_array::null(type_oid type) {
  head(type, -1);
}

void binary_array::value_of(type_oid type, std::string_view value) {
  head(type, static_cast<std::int32_t>(value.size()));
  out_.append(value);
}

void binary_array::id(const uuid& value) {
  value_of(oid_uuid, bytes_of_id(value));
}

void binary_array::bigint(std::int64_t value) {
  head(oid_bigint, 8);
  number(static_cast<std::uint64_t>(value), 8);
}

void binary_array::integer(std::int32_t value) {
  head(oid_int, 4);
  number(static_cast<std::uint32_t>(value), 4);
}

void binary_array::boolean(bool value) {
  head(oid_boolean, 1);
  out_.push_back(value ? '\1' : '\0');
}

bool binary_array::cell(type_oid type, const std::optional<std::string>& text) {
  if (!text) {
    null(type);
    return true;
  }
  if (type == oid_text) {
    value_of(type, *text);
  } else if (type == oid_uuid) {
    const auto parsed = parse_uuid(*text);
    if (!parsed) return false;
    id(*parsed);
  } else if (type == oid_bigint) {
    const auto parsed = parse<std::int64_t>(*text);
    if (!parsed) return false;
    bigint(*parsed);
  } else if (type == oid_int) {
    const auto parsed = parse<std::int32_t>(*text);
    if (!parsed) return false;
    integer(*parsed);
  } else if (type == oid_boolean) {
    if (*text != "true" && *text != "false") return false;
    boolean(*text == "true");
  } else {
    const auto parsed = parse_bytes(*text);
    if (!parsed) return false;
    bytes(*parsed);
  }
  return true;
}

std::string binary_array::take() {
  if (count_ == 0) {
    put(0, 0);
    out_.resize(empty_header);
    return std::move(out_);
  }
  put(at_flags, has_null_ ? 1 : 0);
  put(at_length, count_);
  return std::move(out_);
}

bool fits(type_oid type, const std::optional<std::string>& text) {
  if (!text || type == oid_text) return true;
  switch (type) {
    case oid_uuid:
      return parse_uuid(*text).has_value();
    case oid_bigint:
      return parse<std::int64_t>(*text).has_value();
    case oid_int:
      return parse<std::int32_t>(*text).has_value();
    case oid_boolean:
      return *text == "true" || *text == "false";
    default:
      return parse_bytes(*text).has_value();
  }
}

}  // namespace reeve::persistence
