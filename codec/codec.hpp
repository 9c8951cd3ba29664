#pragma once
// JSON for every type with fields() (see domain/fields.hpp), written once.
//
//   bool, integers        as they are; integers beyond the member's range are refused
//   double                any number; whole ones are written with ".0". NaN and infinities would
//                         become null, which does not decode: keep them out of events
//   std::string           UTF-8 without NUL; its length is bounded by that of the text only
//   uuid, digest          36 characters; 64 hexadecimal digits
//   timestamp             RFC 3339 in UTC with six digits
//   json_text             any JSON, canonical
//   named enums           their names
//   optional              its value; null and a missing field are both empty
//   vector, map           array, object
//   types with fields()   object
//   variant               text, or the object that its only field tells
//
// Reading is strict: an unknown field is `unknown_field`, a missing one or one of the wrong kind is
// `invalid`; `field` is its JSON pointer. One is told: the first of the wrong kind, else the first
// unknown one, else the first missing one. Texts are read with the limits of json_limits{} unless
// others are given.
//
// An event type says what it is called and how it came about:
//
//   struct job_started {
//     static constexpr std::string_view type = "job_started";
//     static constexpr int schema_version = 2;             // 1 if it is not there
//     using previous = job_started_v1;                     // only where schema_version > 1
//     static job_started upcast(const job_started_v1&);    // pure
//     …
//   };

#include "base/outcome.hpp"
#include "codec/decode.hpp"
#include "codec/encode.hpp"
#include "codec/json.hpp"
#include "domain/aggregate.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace reeve::codec {

/// Canonical text; empty optionals of objects are left out. For events and all that is hashed.
template <class T>
std::string encode(const T& value) {
  json_writer out;
  detail::encode_value<detail::empties::left_out>(out, value);
  return out.take();
}

/// The same with empty optionals as null: a document always has all its fields.
template <class T>
std::string encode_document(const T& value) {
  json_writer out;
  detail::encode_value<detail::empties::null>(out, value);
  return out.take();
}

/// `pointer` is where the node stands in the whole text.
template <class T>
outcome<T> decode(const json_node& node, std::string pointer = "") {
  detail::decoder decoder(std::move(pointer));
  T value{};
  decoder.read(node, value, nullptr);
  if (decoder.why()) return *decoder.why();
  return value;
}

template <class T>
outcome<T> decode_text(std::string_view text, const json_limits& limits = {}) {
  const auto doc = parse_strict(text, limits);
  if (!doc) return doc.error();
  return decode<T>(doc->root());
}

namespace detail {

inline rejection no_such_version() {
  return reject(errc::invalid, "this program does not know this schema version of the event",
                "/schema_version");
}

template <class Event>
outcome<Event> decode_version(int schema_version, std::string_view payload) {
  if (schema_version == domain::schema_version_of<Event>()) return decode_text<Event>(payload);
  if constexpr (requires { typename Event::previous; }) {
    using previous = typename Event::previous;
    static_assert(domain::schema_version_of<previous>() + 1 == domain::schema_version_of<Event>(),
                  "each version of an event is made from the one before it");
    if (schema_version < domain::schema_version_of<Event>()) {
      auto older = decode_version<previous>(schema_version, payload);
      if (!older) return older.error();
      return Event::upcast(*older);
    }
  } else {
    static_assert(domain::schema_version_of<Event>() == 1,
                  "this event lacks `previous` and `upcast`");
  }
  return no_such_version();
}

template <class Variant>
struct event_reader;

template <class... Events>
struct event_reader<std::variant<Events...>> {
  using result = outcome<std::variant<Events...>>;

  static result read(std::string_view type, int schema_version, std::string_view payload) {
    std::optional<result> found;
    (void)((type == Events::type && (found = as<Events>(schema_version, payload), true)) || ...);
    if (found) return std::move(*found);
    return reject(errc::invalid, "this program does not know this type of event", "/type");
  }

 private:
  template <class Event>
  static result as(int schema_version, std::string_view payload) {
    auto event = decode_version<Event>(schema_version, payload);
    if (!event) return event.error();
    return std::variant<Events...>(std::move(*event));
  }
};

}  // namespace detail

/// As strict as for requests: the log is ours, so a field that is not known is damage or the work
/// of a newer program, and neither may be folded as if it were not there.
template <class Variant>
outcome<Variant> decode_event(std::string_view type, int schema_version, std::string_view payload) {
  return detail::event_reader<Variant>::read(type, schema_version, payload);
}

}  // namespace reeve::codec
