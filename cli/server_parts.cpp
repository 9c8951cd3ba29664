#include "cli/server_parts.hpp"

#include <algorithm>
#include <thread>

namespace reeve::cli {

outcome<done> server_parts::open() const {
  for (const auto& part : all_) {
    if (!part.open) continue;
    if (auto ok = part.open(); !ok) return ok;
  }
  return done{};
}

outcome<done> server_parts::lead() const {
  for (const auto& part : all_) {
    if (!part.lead) continue;
    if (auto ok = part.lead(); !ok) return ok;
  }
  return done{};
}

outcome<done> server_parts::await_up(std::chrono::milliseconds within) const {
  const auto deadline = std::chrono::steady_clock::now() + within;
  for (;;) {
    std::string missing;
    for (const auto& part : all_) {
      if (!part.is_up || part.is_up()) continue;
      missing += (missing.empty() ? "" : ", ") + std::string(part.name);
    }
    if (missing.empty()) return done{};
    if (std::chrono::steady_clock::now() >= deadline) {
      return reject(errc::timed_out, "did not start in time: " + missing);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void server_parts::on_commit(const persistence::commit_notice& notice) const {
  for (const auto& part : all_) {
    if (part.on_commit) part.on_commit(notice);
  }
}

void server_parts::drain() const {
  std::for_each(all_.rbegin(), all_.rend(), [](const server_part& part) {
    if (part.drain) part.drain();
  });
}

void server_parts::close() const {
  std::for_each(all_.rbegin(), all_.rend(), [](const server_part& part) {
    if (part.close) part.close();
  });
}

}  // namespace reeve::cli
