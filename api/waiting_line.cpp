#include "api/waiting_line.hpp"

#include <utility>

namespace reeve::api {

waiting_line::seat::seat(waiting_line& line, std::string address, std::function<void()> give_way)
    : line_(line),
      address_(std::move(address)),
      give_way_(std::move(give_way)),
      node_{this},
      address_node_{this},
      place_(node_.begin()),
      address_place_(address_node_.begin()) {
  ++line_.addresses_[address_].seats;
}

waiting_line::seat::~seat() {
  leave();
  const auto found = line_.addresses_.find(address_);
  if (--found->second.seats == 0) line_.addresses_.erase(found);
}

void waiting_line::seat::wait(bool is_known) {
  if (in_line_) return;
  in_line_ = true;
  is_known_ = is_known;
  auto& all = line_.all_.of(is_known);
  all.splice(all.end(), node_);
  auto& near = line_.addresses_.find(address_)->second.waiting.of(is_known);
  near.splice(near.end(), address_node_);
}

void waiting_line::seat::leave() {
  if (!in_line_) return;
  in_line_ = false;
  // An iterator stays with its element, whatever list that is spliced into.
  node_.splice(node_.end(), line_.all_.of(is_known_), place_);
  address_node_.splice(address_node_.end(),
                       line_.addresses_.find(address_)->second.waiting.of(is_known_),
                       address_place_);
}

waiting_line::seat* waiting_line::row::first() const {
  if (!strangers.empty()) return strangers.front();
  return known.empty() ? nullptr : known.front();
}

bool waiting_line::evict_first(const row& from) {
  seat* first = from.first();
  if (first == nullptr) return false;
  first->leave();
  first->give_way_();
  return true;
}

bool waiting_line::evict() {
  return evict_first(all_);
}

bool waiting_line::evict(const std::string& address) {
  const auto found = addresses_.find(address);
  return found != addresses_.end() && evict_first(found->second.waiting);
}

}  // namespace reeve::api
