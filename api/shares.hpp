#pragma once
// What callers may hold of something scarce (connections, streams, bytes …): a limit for all of
// them together, and within it one for each token and one for each address, so that nobody can take
// everything from the others. Counts only; what is held frees itself.
//
// Something is granted while less than the limit is held, so that an answer larger than a share
// can be had by who holds nothing: a limit of bytes may be exceeded by one answer. Safe to call
// from any thread.

#include "base/ids.hpp"
#include "base/outcome.hpp"

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::api {

struct share_limits {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  std::size_t all = none;
  std::size_t of_token = none;
  std::size_t of_address = none;
};

/// Percent of what all may hold, 1..100.
struct share_percents {
  std::size_t of_token = 25;
  /// A proxy in front makes one address of everybody: then it is to be 100.
  std::size_t of_address = 75;
};

/// Rounded up, so that a share is at least 1. One that would be the whole is none: what is refused
/// then is refused by the limit of all.
share_limits limits_of(std::size_t all, share_percents percents);

/// Who asks; nothing and empty are not counted.
struct share_holder {
  std::optional<uuid> token;
  std::string_view address;  // as share_key_of (http_address.hpp) gives it
};

enum class share_verdict { granted, token_is_full, address_is_full, all_is_full };
/// "token", "address" or "all", for metrics.
std::string_view name_of(share_verdict why);

/// A caller's own share is 429 and everybody's is 503; `what` is a plural: "streams".
rejection refusal_of(share_verdict why, std::string_view what);

/// What somebody holds; given back when it is destroyed, on any thread.
class share {
 public:
  share() = default;
  share(share&& other) noexcept;
  share& operator=(share&& other) noexcept;
  ~share() { release(); }
  explicit operator bool() const { return state_ != nullptr; }
  void release();

 private:
  friend class share_ledger;
  struct state;
  std::shared_ptr<state> state_;
  std::optional<uuid> token_;
  std::string address_;
  std::size_t amount_ = 0;
};

class share_ledger {
 public:
  explicit share_ledger(share_limits limits);
  /// What `into` held before is given back only if it is granted.
  share_verdict take(const share_holder& who, std::size_t amount, share& into);
  std::size_t held() const;
  /// Tokens and addresses that hold something; nobody else is remembered.
  std::size_t holders() const;

 private:
  std::shared_ptr<share::state> state_;
};

}  // namespace reeve::api
