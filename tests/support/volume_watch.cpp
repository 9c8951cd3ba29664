#include "tests/support/volume_watch.hpp"

#include "tests/support/eventually.hpp"

#include <exception>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

namespace support {

using clock = std::chrono::system_clock;

volume_watch::volume_watch(engine on) : on_(std::move(on)) {
  thread_ = std::thread([this, from = std::chrono::floor<std::chrono::seconds>(clock::now())] {
    for (auto since = from; !is_over_; breathe(300ms)) {
      const auto now = std::chrono::floor<std::chrono::seconds>(clock::now());
      try {
        look(since, now + 1s);
        since = now - 1s;
      } catch (const std::exception&) {
        // Asked from there again: whoever waits in vain for what it misses says so.
      }
    }
  });
}

volume_watch::~volume_watch() {
  is_over_ = true;
  thread_.join();
}

void volume_watch::look(seconds since, seconds until) {
  const auto text = [](seconds at) { return std::to_string(at.time_since_epoch().count()); };
  // {"type":["volume"]}
  const auto answer = on_.call("GET", "/events?since=" + text(since) + "&until=" + text(until) +
                                          "&filters=%7B%22type%22%3A%5B%22volume%22%5D%7D");
  std::istringstream lines(answer.body);
  for (std::string line; std::getline(lines, line);) {
    const auto event = nlohmann::json::parse(line, nullptr, false);
    if (event.is_discarded() || event.at("Action") != "destroy") continue;
    const std::chrono::nanoseconds at(event.at("timeNano").get<long long>());
    const std::lock_guard lock(mutex_);
    removed_.emplace(event.at("Actor").at("ID"), clock::time_point(at));
  }
}

std::optional<clock::time_point> volume_watch::removal_of(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = removed_.find(name);
  return found == removed_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace support
