#pragma once
// What has been applied to a database, and whether this program may work with it. Inside
// persistence/ only.

#include "base/outcome.hpp"

#include <map>
#include <pqxx/pqxx>
#include <string>
#include <string_view>

namespace reeve::persistence {

using applied_map = std::map<int, std::string>;  // number → checksum

int number_of(std::string_view migration);
/// Of reeve.migrations, which must be there.
applied_map read_applied(pqxx::transaction_base& tx);
/// `conflict`: newer than this program, or one was applied with another text.
outcome<done> check_applied(const applied_map& applied);

/// Of who leads, or comes to lead again, with its own login: a migration that is under way comes to
/// its end first. `conflict` as above; `unavailable`: it is under way now. A login that may not
/// read reeve.migrations knows nothing better: each migrate() lets the writer's role read it.
outcome<done> check_schema_again(pqxx::connection& writer);

}  // namespace reeve::persistence
