#pragma once
// An exported log: NDJSON that anyone can verify without a database. The first line is the header,
// then one line per event with every column (the payload as the exact text that was hashed), then
// the signed heads, then a trailer that says how many events there were. An export for one tenant
// has the events of others as leaves only, which still carry the chain.

#include "base/outcome.hpp"
#include "persistence/chain_verifier.hpp"
#include "persistence/checkpoint.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::persistence {

using text_sink = std::function<bool(std::string_view)>;
/// The next line without its end; nothing at the end of the input.
using line_source = std::function<std::optional<std::string>()>;

struct export_result {
  std::int64_t events = 0;
  domain::position head = 0;
};

/// `url`: the owner's login. `unavailable` also when the sink refuses.
outcome<export_result> export_log(const std::string& url, const std::string& heads_file,
                                  const std::optional<uuid>& tenant, const text_sink& sink);

std::string export_line(const domain::event_record& e);
/// One line of an export: an event, or a leaf.
struct imported_line {
  std::optional<domain::event_record> event;
  domain::position position = 0;
  digest leaf{};
};
/// Nothing for a line that is neither.
std::optional<imported_line> import_line(std::string_view line);

}  // namespace reeve::persistence
