#include "persistence/replay.hpp"

#include "base/time.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/output.hpp"
#include "codec/json_writer.hpp"

#include <charconv>
#include <cstdio>

namespace reeve::cli {
namespace {

void optional_text(codec::json_writer& out, const char* key, const std::optional<std::string>& v) {
  out.key(key);
  v ? out.value(*v) : out.null();
}

std::string as_json(const persistence::replay_result& r) {
  codec::json_writer out;
  out.begin_object().key("head").value(r.head).key("events").value(r.events);
  out.key("different_rows").value(r.different_rows).key("differences").begin_array();
  for (const auto& d : r.differences) {
    out.begin_object().key("table").value(d.table).key("key").value(d.key);
    out.key("column").value(d.column);
    optional_text(out, "live", d.live);
    optional_text(out, "replayed", d.replayed);
    out.end_object();
  }
  out.end_array().key("tables").begin_object();
  for (const auto& t : r.tables) out.key(t.table).value(t.rows);
  return out.end_object().end_object().take();
}

void print(const persistence::replay_result& r, bool compared) {
  std::printf("%lld events up to position %lld\n", static_cast<long long>(r.events),
              static_cast<long long>(r.head));
  for (const auto& t : r.tables) {
    std::printf("  %-32s %lld rows\n", t.table.c_str(), static_cast<long long>(t.rows));
  }
  for (const auto& d : r.differences) {
    const auto line = d.table + " [" + d.key + "] " + d.column + ": live " +
                      d.live.value_or("nothing") + ", replayed " + d.replayed.value_or("nothing");
    std::puts(printable(line).c_str());
  }
  if (!compared) return;
  if (r.different_rows == 0) {
    std::puts("The live read models are what the log says.");
  } else {
    std::printf("%lld rows differ.\n", static_cast<long long>(r.different_rows));
  }
}

bool set_until(const std::string& text, persistence::replay_options& options) {
  if (text.empty()) return true;
  if (const auto at = parse_time(text)) {
    options.until_time = *at;
    return true;
  }
  std::int64_t position = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, position);
  options.until = position;
  return error == std::errc{} && stop == end && position >= 0;
}

}  // namespace

int replay(const loaded_config& config, const replay_options& asked) {
  persistence::replay_options options;
  if (!set_until(asked.until, options)) {
    complain("--until is a position or an RFC 3339 time");
    return exit_usage;
  }
  auto db = open_database(config.values);
  auto result = outcome<persistence::replay_result>(reject(errc::unavailable, ""));
  if (db) {
    options.owner_url = db->owner_url;
    result = persistence::replay(options);
  }
  if (!db || !result) {
    const auto& why = db ? result.error() : db.error();
    complain(why.detail);
    return why.code == errc::unavailable ? exit_unreachable : exit_usage;
  }
  asked.json ? print_json(as_json(*result)) : print(*result, asked.until.empty());
  return result->different_rows == 0 ? exit_ok : exit_run_failed;
}

}  // namespace reeve::cli
