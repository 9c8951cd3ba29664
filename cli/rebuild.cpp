#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "codec/json_writer.hpp"
#include "persistence/read_models.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

namespace reeve::cli {
namespace {

using namespace std::chrono_literals;

// A leader looks every second; one that has not begun by then is not there, or is at another build.
constexpr auto patience = 10s;

int tell(const rejection& why) {
  std::fputs(("reeve: " + why.detail + "\n").c_str(), stderr);
  return why.code == errc::not_found ? exit_not_found : exit_unreachable;
}

void tell(const std::string& state, bool json) {
  if (!json) return (void)std::puts(state.c_str());
  codec::json_writer out;
  std::puts(out.begin_object().key("state").value(state).end_object().take().c_str());
}

}  // namespace

/// The server that leads does the work, beside what it serves; this waits for it.
int rebuild(const loaded_config& config, const rebuild_options& asked) {
  auto db = open_database(config.values, false);
  if (!db) return tell(db.error());
  if (auto ok = persistence::ask_rebuild(db->owner_url, asked.name); !ok) return tell(ok.error());
  auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto all = persistence::stored_projections(db->owner_url);
    if (!all) return tell(all.error());
    const auto left = std::count_if(all->begin(), all->end(), [&asked](const auto& one) {
      return one.is_asked && (asked.name.empty() || one.name == asked.name);
    });
    if (left == 0) {
      tell("rebuilt", asked.json);
      return exit_ok;
    }
    if (std::chrono::steady_clock::now() > until) {
      tell("asked for: the server that leads builds it, or the next one that starts", asked.json);
      return exit_ok;
    }
    std::this_thread::sleep_for(100ms);
  }
}

}  // namespace reeve::cli
