#pragma once
// The rows of reeve.projections. Inside persistence/ only.

#include "base/outcome.hpp"
#include "persistence/projection.hpp"
#include "persistence/projection_board.hpp"

#include <map>
#include <pqxx/pqxx>
#include <string>
#include <vector>

namespace reeve::persistence {

/// Of a projection as the table tells it, seen by this program.
struct stored_state {
  bool is_known = false;
  int version = 0;
  bool has_same_columns = false;
  bool is_stale = false;
  std::int64_t asked_at_us = 0;  // 0: nobody has asked for a build
  std::string failure;
  domain::position checkpoint = 0;

  bool is_asked() const { return asked_at_us != 0; }
  bool needs_build(const projection& of) const {
    return !is_known || version != of.version || !has_same_columns || is_stale || is_asked();
  }
  /// Its table may be read until it is built anew: it has the columns, and all the rows.
  bool is_readable() const { return is_known && version > 0 && has_same_columns; }
};

std::map<const projection*, stored_state> read_stored(pqxx::transaction_base& tx);

/// What is new and of which the log holds nothing yet is live at once.
void register_empty(pqxx::transaction_base& tx);

/// That it could not be built, and why. It answers who had asked by `asked_at_us`, when that build
/// began; whoever asked later is owed another one.
void note_failure(pqxx::transaction_base& tx, const projection& of, std::int64_t asked_at_us,
                  const std::string& why);

}  // namespace reeve::persistence
