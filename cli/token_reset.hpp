#pragma once
// `reeve token reset`: whoever may write the server's data folder gets a new admin token, also
// where every other one is lost. The command writes down what the token's secret hashes to, below
// the data folder; the server that leads with that folder finds it there and makes the token
// through its command port, as any other: one writer, and an event. It is asked for once, whatever
// dies.

#include "actors/command_port.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "persistence/startup.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <tuple>

namespace reeve::cli {

/// One line of JSON in the file.
struct asked_token {
  uuid id;
  digest secret_hash{};
  bool is_system = false;  // of the system tenant
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("id", &asked_token::id),
                      field("secret_hash", &asked_token::secret_hash),
                      field("is_system", &asked_token::is_system)};
  }
};

/// Of a server that leads. What it answers comes from other threads; all else happens in `look`.
class token_resets {
 public:
  token_resets(std::string file, clock_port& clock);

  /// Several times a second on one thread; never waits. The file goes once the token is there; one
  /// that cannot be taken stays, is told in the log once and tried again each second.
  void look(actors::command_port& commands, id_source& ids,
            std::span<const persistence::tenant_row> tenants);

 private:
  using access = actors::executed<domain::access_state>;
  enum class step { idle, making, comparing };
  struct letter_box;

  void take(actors::command_port& commands, id_source& ids,
            std::span<const persistence::tenant_row> tenants);
  void hear(actors::command_port& commands, outcome<access> answer);
  void refused(const std::string& why);
  actors::state_slot<domain::access_state> slot();

  std::string file_;
  clock_port& clock_;
  std::shared_ptr<letter_box> box_;
  step step_ = step::idle;
  asked_token asked_;
  std::string text_;  // of the file that asks for it
  uuid made_;         // the last one that was told
  uuid tenant_;
  std::string conflict_;
  std::string told_;  // why it could not be taken, as the log has it
  std::int64_t quiet_until_us_ = 0;
};

}  // namespace reeve::cli
