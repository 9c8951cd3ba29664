#pragma once
// The order in which a type's members stand in canonical JSON, worked out once, by the compiler.

#include "domain/fields.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace reeve::codec::detail {

template <domain::has_fields T>
inline constexpr auto fields_of = T::fields();

template <domain::has_fields T>
inline constexpr std::size_t field_count = std::tuple_size_v<decltype(T::fields())>;

template <domain::has_fields T>
consteval auto field_names() {
  return std::apply(
      [](const auto&... field) {
        return std::array<std::string_view, sizeof...(field)>{field.name...};
      },
      fields_of<T>);
}

/// Positions in fields(), sorted by the bytes of the names.
template <domain::has_fields T>
consteval auto sorted_positions() {
  constexpr auto names = field_names<T>();
  std::array<std::size_t, names.size()> order{};
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return names[a] < names[b]; });
  return order;
}

template <domain::has_fields T>
inline constexpr auto order_of = sorted_positions<T>();

template <domain::has_fields T>
consteval bool names_differ() {
  constexpr auto names = field_names<T>();
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (names[i] == names[j]) return false;
    }
  }
  return true;
}

/// Calls `visit(field)` for each member in canonical order, while it answers true. Answers whether
/// all did.
template <domain::has_fields T, class Visit>
constexpr bool visit_sorted(Visit&& visit) {
  static_assert(names_differ<T>(), "two fields of this type have the same name");
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return (visit(std::get<order_of<T>[I]>(fields_of<T>)) && ...);
  }
  (std::make_index_sequence<field_count<T>>{});
}

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};

template <class T>
struct is_map : std::false_type {};
template <class T>
struct is_map<std::map<std::string, T>> : std::true_type {};

/// Text, or one of several objects that each have one field, by whose name they are told.
template <class T>
struct is_form : std::false_type {};
template <domain::has_fields... Objects>
struct is_form<std::variant<std::string, Objects...>> : std::true_type {
  static_assert(((field_count<Objects> == 1) && ...), "one field tells which object it is");
};

template <class T>
concept form_member = is_form<T>::value;
template <class T>
concept optional_member = is_optional<T>::value;
template <class T>
concept vector_member = is_vector<T>::value;
template <class T>
concept map_member = is_map<T>::value;

template <class Field>
inline constexpr auto part_of = std::decay_t<Field>::part;

template <class Variant>
struct kinds_of;
/// The names of what a variant may hold, in its order.
template <class... Kinds>
struct kinds_of<std::variant<Kinds...>> {
  static constexpr std::array<std::string_view, sizeof...(Kinds)> names{Kinds::kind...};
};

template <class>
inline constexpr bool no_such_kind = false;

}  // namespace reeve::codec::detail
