#pragma once
// One list of members per type, from which codecs, schemas and comparisons are made:
//
//   struct job_started {
//     static constexpr std::string_view type = "job_started";
//     uuid job;
//     int attempt = 0;
//     static constexpr auto fields() {
//       return std::tuple{field("job", &job_started::job), field("attempt",
//       &job_started::attempt)};
//     }
//   };
//
// A variant of types that are called something stands in two members, which say the same member of
// the type: `kind_field("kind", &T::v)`, the `kind` of what it holds, and `held_field("params",
// &T::v)`, the fields of that. The first one is read first: its name has to sort before the
// other's.
//
// Kinds of members that the codec knows: bool, integers, double, std::string, uuid, digest (hex),
// timestamp, json_text, enums with names (see `enum_names`), std::optional, std::vector,
// std::map<std::string, T>, any type that has fields() itself, and std::variant<std::string, T…>
// of such types with one field each, which tells them: "text", {"plain": …} or {"secret": …}.

#include "base/time.hpp"

#include <array>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

namespace reeve::domain {

/// What of the member a field says.
enum class field_part { whole, kind, held };

template <class Owner, class Member, field_part Part = field_part::whole>
struct field_of {
  static constexpr auto part = Part;
  std::string_view name;
  Member Owner::*member;
  /// Whether a reader may leave it out; the member then keeps its default. An std::optional may
  /// always be left out.
  bool required = true;
};

template <class Owner, class Member>
constexpr field_of<Owner, Member> field(std::string_view name, Member Owner::*member) {
  return {name, member, true};
}

/// A member that a reader may leave out.
template <class Owner, class Member>
constexpr field_of<Owner, Member> maybe(std::string_view name, Member Owner::*member) {
  return {name, member, false};
}

template <class Owner, class Variant>
constexpr field_of<Owner, Variant, field_part::kind> kind_field(std::string_view name,
                                                                Variant Owner::*member) {
  return {name, member, true};
}

template <class Owner, class Variant>
constexpr field_of<Owner, Variant, field_part::held> held_field(std::string_view name,
                                                                Variant Owner::*member) {
  return {name, member, false};
}

template <class T>
concept has_fields = requires {
  T::fields();
};

/// An instant that is written as RFC 3339 text with microseconds; a bare time_us is a number.
struct timestamp {
  time_us at = 0;
  auto operator<=>(const timestamp&) const = default;
};

/// As a document shows what has not happened yet.
constexpr std::optional<timestamp> shown(const std::optional<time_us>& t) {
  return t ? std::optional(timestamp{*t}) : std::nullopt;
}

/// Names of an enum's values, in the order of their numbers from 0. Specialise:
///   template <> struct enum_names<run_status> {
///     static constexpr std::array names{std::string_view{"pending"}, …}; };
template <class Enum>
struct enum_names;

template <class Enum>
concept named_enum = requires {
  enum_names<Enum>::names.size();
};

template <named_enum Enum>
constexpr std::string_view name_of(Enum value) {
  return enum_names<Enum>::names[static_cast<std::size_t>(value)];
}

template <named_enum Enum>
constexpr bool from_name(std::string_view name, Enum& out) {
  for (std::size_t i = 0; i < enum_names<Enum>::names.size(); ++i) {
    if (enum_names<Enum>::names[i] == name) {
      out = static_cast<Enum>(i);
      return true;
    }
  }
  return false;
}

}  // namespace reeve::domain
