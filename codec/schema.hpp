#pragma once
// JSON Schema (2020-12, as OpenAPI 3.1 has it) from fields(). It says what `decode` accepts.

#include "codec/encode.hpp"
#include "codec/field_order.hpp"
#include "codec/json_writer.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

namespace reeve::codec {

/// Appends the schema of one kind of value. Types that contain themselves have no such schema: it
/// would never end.
template <class T>
void write_schema(json_writer& out);

namespace detail {

inline void write_string_schema(json_writer& out, std::string_view rule, std::string_view value) {
  out.begin_object();
  if (!rule.empty()) out.key(rule).value(value);
  out.key("type").value("string").end_object();
}

template <class T>
void write_integer_schema(json_writer& out) {
  // Clients that read numbers as doubles have no whole number beyond 2^53 for certain: a limit that
  // they would round is left out.
  constexpr std::int64_t exact = std::int64_t{1} << 53;
  using limits = std::numeric_limits<T>;
  out.begin_object();
  if constexpr (std::cmp_less_equal(limits::max(), exact)) out.key("maximum").value(limits::max());
  if constexpr (std::cmp_greater_equal(limits::min(), -exact)) {
    out.key("minimum").value(limits::min());
  }
  out.key("type").value("integer").end_object();
}

template <class Names>
void write_names_schema(json_writer& out, const Names& names) {
  out.begin_object().key("enum").begin_array();
  for (const std::string_view name : names) out.value(name);
  out.end_array().key("type").value("string").end_object();
}

/// Of what a variant holds: one of them.
template <class Variant, std::size_t I = 0>
void write_any_schema(json_writer& out) {
  if constexpr (I == 0) out.begin_object().key("anyOf").begin_array();
  if constexpr (I < std::variant_size_v<Variant>) {
    write_schema<std::variant_alternative_t<I, Variant>>(out);
    write_any_schema<Variant, I + 1>(out);
  } else {
    out.end_array().end_object();
  }
}

template <class T>
void write_object_schema(json_writer& out) {
  out.begin_object().key("additionalProperties").value(false);
  out.key("properties").begin_object();
  visit_sorted<T>([&]<class Owner, class Member, domain::field_part Part>(
                      const domain::field_of<Owner, Member, Part>& field) {
    out.key(field.name);
    if constexpr (Part == domain::field_part::kind) {
      write_names_schema(out, kinds_of<Member>::names);
    } else if constexpr (Part == domain::field_part::held) {
      write_any_schema<Member>(out);
    } else {
      write_schema<Member>(out);
    }
    return true;
  });
  out.end_object().key("required").begin_array();
  visit_sorted<T>([&]<class Owner, class Member, domain::field_part Part>(
                      const domain::field_of<Owner, Member, Part>& field) {
    if (field.required && !optional_member<Member>) out.value(field.name);
    return true;
  });
  out.end_array().key("type").value("object").end_object();
}

}  // namespace detail

template <class T>
void write_schema(json_writer& out) {
  if constexpr (std::is_same_v<T, bool>) {
    out.begin_object().key("type").value("boolean").end_object();
  } else if constexpr (std::is_integral_v<T>) {
    detail::write_integer_schema<T>(out);
  } else if constexpr (std::is_same_v<T, double>) {
    out.begin_object().key("type").value("number").end_object();
  } else if constexpr (std::is_same_v<T, std::string>) {
    detail::write_string_schema(out, {}, {});
  } else if constexpr (std::is_same_v<T, uuid>) {
    detail::write_string_schema(out, "format", "uuid");
  } else if constexpr (std::is_same_v<T, digest>) {
    detail::write_string_schema(out, "pattern", "^[0-9A-Fa-f]{64}$");
  } else if constexpr (std::is_same_v<T, domain::timestamp>) {
    detail::write_string_schema(out, "format", "date-time");
  } else if constexpr (std::is_same_v<T, domain::json_text>) {
    out.begin_object().end_object();
  } else if constexpr (domain::named_enum<T>) {
    detail::write_names_schema(out, domain::enum_names<T>::names);
  } else if constexpr (detail::optional_member<T>) {
    out.begin_object().key("anyOf").begin_array();
    write_schema<typename T::value_type>(out);
    out.begin_object().key("type").value("null").end_object();
    out.end_array().end_object();
  } else if constexpr (detail::form_member<T>) {
    detail::write_any_schema<T>(out);
  } else if constexpr (detail::vector_member<T>) {
    out.begin_object().key("items");
    write_schema<typename T::value_type>(out);
    out.key("type").value("array").end_object();
  } else if constexpr (detail::map_member<T>) {
    out.begin_object().key("additionalProperties");
    write_schema<typename T::mapped_type>(out);
    out.key("type").value("object").end_object();
  } else if constexpr (domain::has_fields<T>) {
    detail::write_object_schema<T>(out);
  } else {
    static_assert(detail::no_such_kind<T>, "the codec does not know this kind of member");
  }
}

template <class T>
std::string json_schema() {
  json_writer out;
  write_schema<T>(out);
  return out.take();
}

}  // namespace reeve::codec
