#pragma once
// A server as a list of parts. Each says what it does in the moments of a server's life, the list
// keeps the order: from the first to the last at the start, from the last to the first at the end.
// What is added to a server is added here once, and nothing of it can be forgotten.

#include "base/outcome.hpp"
#include "persistence/append_port.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::cli {

/// All but the name may be left out.
struct server_part {
  std::string_view name;
  /// Before it is known who leads.
  std::function<outcome<done>()> open = {};
  /// This server leads, and does not answer for the log yet.
  std::function<outcome<done>()> lead = {};
  /// Whether it does its work now. Asked until it does.
  std::function<bool()> is_up = {};
  /// With everything that is durable, on the journal's thread, before its callers are answered.
  std::function<void(const persistence::commit_notice&)> on_commit = {};
  /// The server stops: what was begun is finished, within a time of its own. Also for one that
  /// never led.
  std::function<void()> drain = {};
  /// What stands after it in the list is gone. Also for one that was never opened.
  std::function<void()> close = {};
};

class server_parts {
 public:
  /// Before `open`; the list does not change afterwards.
  void add(server_part part) { all_.push_back(std::move(part)); }

  /// The first error ends it.
  outcome<done> open() const;
  outcome<done> lead() const;
  /// Waits until all of them are up; `timed_out` names those that are not.
  outcome<done> await_up(std::chrono::milliseconds within) const;
  void on_commit(const persistence::commit_notice& notice) const;
  void drain() const;
  void close() const;

 private:
  std::vector<server_part> all_;
};

}  // namespace reeve::cli
