#pragma once
// What the files of this folder share: cells in text form, and the names of what they define.

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "persistence/append_port.hpp"
#include "persistence/projection.hpp"
#include "persistence/projections_port.hpp"

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace reeve::persistence {

/// How the two functions of an aggregate name it.
template <class State>
using rows_of = std::type_identity<happened<State>>;

namespace rows {

inline constexpr bool key = true;
using cell = std::optional<std::string>;

inline cell text(bool value) {
  return value ? "true" : "false";
}
inline cell text(std::int64_t value) {
  return std::to_string(value);
}
inline cell text(const uuid& id) {
  return to_string(id);
}
inline cell text(const std::optional<uuid>& id) {
  return id ? cell(to_string(*id)) : cell();
}
/// Times and positions.
inline cell text(const std::optional<std::int64_t>& value) {
  return value ? cell(std::to_string(*value)) : cell();
}
inline cell text(const digest& d) {
  return "\\x" + to_hex(d);
}

/// Moves what it may: the documents among the cells are most of a row.
template <class... Cells>
void add(row_sink& to, const projection& of, Cells&&... cells) {
  auto& row = to.emplace_back(projection_row{&of, {}});
  row.cells.reserve(sizeof...(cells));
  (row.cells.emplace_back(std::forward<Cells>(cells)), ...);
}

}  // namespace rows
}  // namespace reeve::persistence
