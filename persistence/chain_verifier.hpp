#pragma once
// The rules that a log keeps, checked event by event, from its genesis: positions without gaps,
// leaf and hash recomputed from every field, versions without gaps in each stream, times that
// ascend, epochs that never fall. Pure; knows no database.

#include "base/digest.hpp"
#include "domain/event.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>

namespace reeve::persistence {

class chain_verifier {
 public:
  explicit chain_verifier(const uuid& origin);

  /// Empty = it fits; else one sentence that says what does not.
  std::string add(const domain::event_record& e);
  /// An event of somebody else in a filtered export: only its leaf is known.
  std::string add_leaf(domain::position at, const digest& leaf);

  std::int64_t events() const { return events_; }
  domain::position head() const { return head_; }
  const digest& hash() const { return hash_; }
  std::int64_t epoch() const { return epoch_; }

 private:
  // Above this many streams the versions of further ones are not compared: memory is limited, and
  // the chain covers the version all the same.
  static constexpr std::size_t most_streams = 2'000'000;

  std::int64_t events_ = 0;
  domain::position head_ = 0;
  std::int64_t epoch_ = 0;
  time_us recorded_at_us_ = 0;
  digest hash_;
  std::unordered_map<std::string, domain::version> versions_;
};

}  // namespace reeve::persistence
