#pragma once
// From PostgreSQL's text form to ours. For columns whose form the schema fixes: what does not fit
// becomes the zero value. Inside persistence/ only.

#include "domain/event.hpp"

#include <pqxx/pqxx>
#include <string>
#include <string_view>

namespace reeve::persistence {

inline std::string_view view_of(const pqxx::field& field) {
  return {field.c_str(), field.size()};
}

inline uuid uuid_of(const pqxx::field& field) {
  return parse_uuid(view_of(field)).value_or(uuid{});
}

/// A bytea in its hexadecimal form ("\x…"); null is empty.
inline std::string bytes_of(const pqxx::field& field) {
  const auto text = view_of(field);
  return text.size() < 2 ? std::string() : from_hex(text.substr(2)).value_or("");
}

inline digest digest_of(const pqxx::field& field) {
  const auto text = view_of(field);
  return text.size() < 2 ? digest{} : digest_from_hex(text.substr(2)).value_or(digest{});
}

/// A row of reeve.events, all columns in the order of the table.
domain::event_record event_of(const pqxx::row& row);

}  // namespace reeve::persistence
