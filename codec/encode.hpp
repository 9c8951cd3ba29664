#pragma once
// The writing half of the codec; use codec/codec.hpp.

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "codec/field_order.hpp"
#include "codec/json_writer.hpp"
#include "domain/json_text.hpp"

#include <string>
#include <type_traits>
#include <variant>

namespace reeve::codec::detail {

enum class empties { left_out, null };

template <empties Empties, class T>
void encode_value(json_writer& out, const T& value);

template <empties Empties, domain::has_fields T>
void encode_object(json_writer& out, const T& value) {
  out.begin_object();
  visit_sorted<T>([&](const auto& field) {
    const auto& member = value.*(field.member);
    if constexpr (optional_member<std::decay_t<decltype(member)>> && Empties == empties::left_out) {
      if (!member) return true;
    }
    out.key(field.name);
    if constexpr (part_of<decltype(field)> == domain::field_part::kind) {
      out.value(kinds_of<std::decay_t<decltype(member)>>::names[member.index()]);
    } else if constexpr (part_of<decltype(field)> == domain::field_part::held) {
      std::visit([&out](const auto& held) { encode_value<Empties>(out, held); }, member);
    } else {
      encode_value<Empties>(out, member);
    }
    return true;
  });
  out.end_object();
}

template <empties Empties, class T>
void encode_value(json_writer& out, const T& value) {
  if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    out.value(value);
  } else if constexpr (std::is_same_v<T, uuid>) {
    out.value(to_string(value));
  } else if constexpr (std::is_same_v<T, digest>) {
    out.value(to_hex(value));
  } else if constexpr (std::is_same_v<T, domain::timestamp>) {
    out.value(format_time(value.at));
  } else if constexpr (std::is_same_v<T, domain::json_text>) {
    out.raw(value.text.empty() ? std::string_view("null") : value.text);
  } else if constexpr (domain::named_enum<T>) {
    out.value(domain::name_of(value));
  } else if constexpr (optional_member<T>) {
    if (value) {
      encode_value<Empties>(out, *value);
    } else {
      out.null();
    }
  } else if constexpr (form_member<T>) {
    std::visit([&out](const auto& held) { encode_value<Empties>(out, held); }, value);
  } else if constexpr (vector_member<T>) {
    out.begin_array();
    for (const typename T::value_type& element : value) encode_value<Empties>(out, element);
    out.end_array();
  } else if constexpr (map_member<T>) {
    out.begin_object();
    for (const auto& [key, element] : value) {
      out.key(key);
      encode_value<Empties>(out, element);
    }
    out.end_object();
  } else if constexpr (domain::has_fields<T>) {
    encode_object<Empties>(out, value);
  } else {
    static_assert(no_such_kind<T>, "the codec does not know this kind of member");
  }
}

}  // namespace reeve::codec::detail
