#pragma once
// The reading half of the codec; use codec/codec.hpp.

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/outcome.hpp"
#include "base/time.hpp"
#include "codec/field_order.hpp"
#include "codec/json.hpp"
#include "domain/json_text.hpp"

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace reeve::codec::detail {

/// Where a value stands; a chain on the stack, made into text only when something is wrong.
struct place {
  const place* parent;
  std::string_view key;
  std::size_t index;  // used when `key` has no data
};

/// Keeps what is to be answered: the first invalid value, else the first unknown field, which is
/// the order of base/errors.def; else the first missing one, for a misspelt name is both.
class decoder {
 public:
  explicit decoder(std::string pointer) : root_(std::move(pointer)) {}

  /// False when there is no point in going on.
  template <class T>
  bool read(const json_node& node, T& out, const place* at);

  bool invalid(std::string detail, const place* at);
  void unknown_field(const place* at);
  void missing_field(const place* at);
  const std::optional<rejection>& why() const {
    return invalid_ ? invalid_ : unknown_ ? unknown_ : missing_;
  }

 private:
  template <class T>
  bool read_integer(const json_node& node, T& out, const place* at);
  template <class T>
  bool read_enum(const json_node& node, T& out, const place* at);
  template <class T, class Parse>
  bool read_text(const json_node& node, T& out, const place* at, const char* what, Parse parse);
  template <class Variant, std::size_t... I>
  bool read_kind(const json_node& node, Variant& out, const place* at, std::index_sequence<I...>);
  template <domain::field_part Part, class T>
  bool read_part(const json_node& node, T& out, const place* at);
  template <class... Objects>
  bool read_form(const json_node& node, std::variant<std::string, Objects...>& out,
                 const place* at);
  template <class T>
  bool read_vector(const json_node& node, T& out, const place* at);
  template <class T>
  bool read_map(const json_node& node, T& out, const place* at);
  template <class T>
  bool read_object(const json_node& node, T& out, const place* at);

  bool wrong_enum(const std::string_view* names, std::size_t count, const place* at);
  bool out_of_range(const std::string& least, const std::string& most, const place* at);
  std::string pointer_to(const place* at) const;

  std::string root_;
  std::optional<rejection> invalid_;
  std::optional<rejection> unknown_;
  std::optional<rejection> missing_;
};

template <class T>
bool decoder::read_integer(const json_node& node, T& out, const place* at) {
  const auto number = node.whole();
  if (!number) return invalid("must be an integer", at);
  if (!std::in_range<T>(*number)) {
    // No text says more than an int64, so neither does the error.
    constexpr auto most = std::in_range<std::int64_t>(std::numeric_limits<T>::max())
                              ? static_cast<std::int64_t>(std::numeric_limits<T>::max())
                              : std::numeric_limits<std::int64_t>::max();
    return out_of_range(std::to_string(std::numeric_limits<T>::min()), std::to_string(most), at);
  }
  out = static_cast<T>(*number);
  return true;
}

template <class T>
bool decoder::read_enum(const json_node& node, T& out, const place* at) {
  if (node.is_string() && domain::from_name(node.as_string(), out)) return true;
  constexpr auto& names = domain::enum_names<T>::names;
  return wrong_enum(names.data(), names.size(), at);
}

template <class T, class Parse>
bool decoder::read_text(const json_node& node, T& out, const place* at, const char* what,
                        Parse parse) {
  if (!node.is_string()) return invalid(what, at);
  const auto parsed = parse(node.as_string());
  if (!parsed) return invalid(what, at);
  out = T{*parsed};
  return true;
}

/// Empty of that kind, whatever it held.
template <class Variant, std::size_t... I>
bool decoder::read_kind(const json_node& node, Variant& out, const place* at,
                        std::index_sequence<I...>) {
  constexpr auto& names = kinds_of<Variant>::names;
  const bool known = node.is_string() &&
                     ((node.as_string() == names[I] && (out.template emplace<I>(), true)) || ...);
  return known || wrong_enum(names.data(), names.size(), at);
}

template <domain::field_part Part, class T>
bool decoder::read_part(const json_node& node, T& out, const place* at) {
  if constexpr (Part == domain::field_part::kind) {
    return read_kind(node, out, at, std::make_index_sequence<std::variant_size_v<T>>{});
  } else if constexpr (Part == domain::field_part::held) {
    return std::visit([&](auto& held) { return read(node, held, at); }, out);
  } else {
    return read(node, out, at);
  }
}

/// The first of the objects whose field is there; what else is there is unknown to it.
template <class... Objects>
bool decoder::read_form(const json_node& node, std::variant<std::string, Objects...>& out,
                        const place* at) {
  if (node.is_string()) {
    out.template emplace<std::string>(node.as_string());
    return true;
  }
  bool good = false;
  const auto is_read = [&]<class Object>(std::type_identity<Object>) {
    if (!node.is_object() || !node.find(field_names<Object>()[0])) return false;
    Object read_so{};
    good = read(node, read_so, at);
    out = std::move(read_so);
    return true;
  };
  if ((is_read(std::type_identity<Objects>{}) || ...)) return good;
  std::string forms;
  ((forms += " or {\"" + std::string(field_names<Objects>()[0]) + "\": …}"), ...);
  return invalid("must be a string" + forms, at);
}

template <class T>
bool decoder::read_vector(const json_node& node, T& out, const place* at) {
  if (!node.is_array()) return invalid("must be an array", at);
  out.clear();
  out.reserve(node.size());
  for (std::size_t i = 0; i < node.size(); ++i) {
    const place here{at, {}, i};
    typename T::value_type element{};
    if (!read(node.at(i), element, &here)) return false;
    out.push_back(std::move(element));
  }
  return true;
}

template <class T>
bool decoder::read_map(const json_node& node, T& out, const place* at) {
  if (!node.is_object()) return invalid("must be an object", at);
  out.clear();
  for (std::size_t i = 0; i < node.member_count(); ++i) {
    const place here{at, node.member_key(i), 0};
    const auto entry = out.emplace_hint(out.end(), here.key, typename T::mapped_type{});
    if (!read(node.member_value(i), entry->second, &here)) return false;
  }
  return true;
}

/// Both sides are sorted by key, so one walk along both finds what is missing and what is too
/// much.
template <class T>
bool decoder::read_object(const json_node& node, T& out, const place* at) {
  if (!node.is_object()) return invalid("must be an object", at);
  const std::size_t count = node.member_count();
  std::size_t next = 0;
  const auto skip_until = [&](std::string_view name) {
    for (; next < count && node.member_key(next) < name; ++next) {
      const place here{at, node.member_key(next), 0};
      unknown_field(&here);
    }
  };
  const bool good = visit_sorted<T>([&](const auto& field) {
    auto& member = out.*(field.member);
    const place here{at, field.name, 0};
    skip_until(field.name);
    if (next < count && node.member_key(next) == field.name) {
      return read_part<part_of<decltype(field)>>(node.member_value(next++), member, &here);
    }
    if constexpr (!optional_member<std::decay_t<decltype(member)>>) {
      if (field.required) missing_field(&here);
    }
    return true;
  });
  for (; good && next < count; ++next) {
    const place here{at, node.member_key(next), 0};
    unknown_field(&here);
  }
  return good;
}

template <class T>
bool decoder::read(const json_node& node, T& out, const place* at) {
  if constexpr (std::is_same_v<T, bool>) {
    if (!node.is_boolean()) return invalid("must be true or false", at);
    out = node.as_bool();
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    return read_integer(node, out, at);
  } else if constexpr (std::is_same_v<T, double>) {
    if (!node.is_number()) return invalid("must be a number", at);
    out = node.as_double();
    return true;
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!node.is_string()) return invalid("must be a string", at);
    out = node.as_string();
    return true;
  } else if constexpr (std::is_same_v<T, uuid>) {
    return read_text(node, out, at, "must be a UUID of 36 characters", parse_uuid);
  } else if constexpr (std::is_same_v<T, digest>) {
    return read_text(node, out, at, "must be 64 hexadecimal digits", digest_from_hex);
  } else if constexpr (std::is_same_v<T, domain::timestamp>) {
    return read_text(node, out, at, "must be a time as in RFC 3339", parse_time);
  } else if constexpr (std::is_same_v<T, domain::json_text>) {
    out.text = node.text();
    return true;
  } else if constexpr (domain::named_enum<T>) {
    return read_enum(node, out, at);
  } else if constexpr (optional_member<T>) {
    out.reset();
    if (node.is_null()) return true;
    // Read aside: after emplace() g++ 12 at -O2 sees uninitialised members that are not there.
    typename T::value_type value{};
    if (!read(node, value, at)) return false;
    out = std::move(value);
    return true;
  } else if constexpr (form_member<T>) {
    return read_form(node, out, at);
  } else if constexpr (vector_member<T>) {
    return read_vector(node, out, at);
  } else if constexpr (map_member<T>) {
    return read_map(node, out, at);
  } else if constexpr (domain::has_fields<T>) {
    return read_object(node, out, at);
  } else {
    static_assert(no_such_kind<T>, "the codec does not know this kind of member");
  }
}

}  // namespace reeve::codec::detail
