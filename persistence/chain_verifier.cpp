#include "persistence/chain_verifier.hpp"

#include "persistence/leaf.hpp"

#include <cstring>

namespace reeve::persistence {

chain_verifier::chain_verifier(const uuid& origin) : hash_(genesis_hash(origin)) {}

chain_verifier::stream_key chain_verifier::key_of(const std::string& stream) {
  const auto whole = sha256(stream);
  stream_key key;
  std::memcpy(key.data(), whole.data(), sizeof key);
  return key;
}

std::string chain_verifier::add_leaf(domain::position at, const digest& leaf) {
  if (at != head_ + 1) return "the position before it is " + std::to_string(head_);
  hash_ = chain_hash(hash_, leaf);
  head_ = at;
  ++events_;
  return {};
}

std::string chain_verifier::add(const domain::event_record& e) {
  if (e.position != head_ + 1) return "the position before it is " + std::to_string(head_);
  const auto leaf = leaf_of(e);
  if (leaf != e.leaf) return "its leaf does not fit its fields";
  const auto hash = chain_hash(hash_, leaf);
  if (hash != e.hash) return "its hash does not follow from the one before";
  if (e.epoch < epoch_) return "its epoch is lower than the one before";
  if (e.recorded_at_us <= recorded_at_us_) return "its time is not after the one before";
  const auto key = key_of(e.stream);
  auto found = versions_.find(key);
  if (found == versions_.end()) {
    // In a log that is whole every stream begins with version 1.
    if (e.version != 1 && versions_.size() < most_streams) return "its stream begins in the middle";
    if (versions_.size() < most_streams) versions_.emplace(key, e.version);
  } else if (e.version != found->second + 1) {
    return "its version does not follow in its stream";
  } else {
    found->second = e.version;
  }
  hash_ = hash;
  head_ = e.position;
  epoch_ = e.epoch;
  recorded_at_us_ = e.recorded_at_us;
  ++events_;
  return {};
}

}  // namespace reeve::persistence
