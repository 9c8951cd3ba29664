#pragma once
// An exported log: NDJSON that anyone can verify without a database (docs/log-format.md). The first
// line is the header, then one line per event with every column (the payload as the exact text that
// was hashed), each signed head right behind the event that it signs, then a trailer that says how
// many of both there were. An export for one tenant has the events of others as leaves only, which
// still carry the chain. Lines have one form, byte for byte.

#include "base/outcome.hpp"
#include "domain/fields.hpp"
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

/// `url`: the owner's login. What is appended meanwhile does not belong to it. `unavailable` also
/// when the sink refuses.
outcome<export_result> export_log(const std::string& url, const std::string& heads_file,
                                  const std::optional<uuid>& tenant, const text_sink& sink);

struct export_header {
  std::int64_t reeve_export = 1;
  uuid origin;
  /// Whose events it has whole; nothing: everybody's, and then no line may be a leaf.
  std::optional<uuid> tenant;
  static constexpr auto fields() {
    return std::tuple{domain::field("reeve_export", &export_header::reeve_export),
                      domain::field("origin", &export_header::origin),
                      domain::field("tenant", &export_header::tenant)};
  }
};

struct export_checkpoint {
  signed_head checkpoint;
  static constexpr auto fields() {
    return std::tuple{domain::field("checkpoint", &export_checkpoint::checkpoint)};
  }
};

struct export_counts {
  std::int64_t checkpoints = 0;
  std::int64_t events = 0;  // also those that are a leaf only
  std::int64_t leaves = 0;
  static constexpr auto fields() {
    return std::tuple{domain::field("checkpoints", &export_counts::checkpoints),
                      domain::field("events", &export_counts::events),
                      domain::field("leaves", &export_counts::leaves)};
  }
};

struct export_trailer {
  export_counts reeve_export_end;
  static constexpr auto fields() {
    return std::tuple{domain::field("reeve_export_end", &export_trailer::reeve_export_end)};
  }
};

std::string export_line(const domain::event_record& e);
/// One line of an export: an event, or a leaf.
struct imported_line {
  std::optional<domain::event_record> event;
  domain::position position = 0;
  digest leaf{};
};
/// Nothing for a line that is neither, or that is not in its one form.
std::optional<imported_line> import_line(std::string_view line);

}  // namespace reeve::persistence
