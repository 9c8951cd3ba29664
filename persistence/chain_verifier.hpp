#pragma once
// The rules that a log keeps, checked event by event, from its genesis: positions without gaps,
// leaf and hash recomputed from every field, versions without gaps in each stream, times that
// ascend, epochs that never fall. Pure; knows no database.

#include "base/digest.hpp"
#include "domain/event.hpp"

#include <array>
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
  // Above this many streams the versions of further ones are not compared: memory is limited (about
  // 60 bytes each), and the chain covers the version all the same.
  static constexpr std::size_t most_streams = 2'000'000;

  // Of a stream's name half its SHA-256 is kept: two names that share it will not be met.
  using stream_key = std::array<std::uint64_t, 2>;
  struct stream_hash {
    std::size_t operator()(const stream_key& key) const { return key[0]; }
  };
  static stream_key key_of(const std::string& stream);

  std::int64_t events_ = 0;
  domain::position head_ = 0;
  std::int64_t epoch_ = 0;
  time_us recorded_at_us_ = 0;
  digest hash_;
  std::unordered_map<stream_key, domain::version, stream_hash> versions_;
};

}  // namespace reeve::persistence
