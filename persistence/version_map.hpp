#pragma once
// Where each stream stands, as far as the writer remembers: a bounded map, least recently used out
// first. What is not here is asked of the database. A stream that is known not to exist is not
// kept: new ids would push out what is of use.

#include "base/ids.hpp"
#include "domain/event.hpp"

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace reeve::persistence {

class version_map {
 public:
  struct entry {
    uuid tenant;
    domain::version version = 0;
  };

  /// About 200 bytes a stream.
  explicit version_map(std::size_t max_streams) : max_(max_streams) {}

  std::optional<entry> find(std::string_view stream);
  void put(std::string_view stream, entry value);
  void forget(std::string_view stream);
  std::size_t size() const { return by_name_.size(); }

 private:
  struct node {
    std::string stream;
    entry value;
  };
  std::size_t max_;
  std::list<node> order_;  // front = used last
  std::unordered_map<std::string_view, std::list<node>::iterator> by_name_;
};

}  // namespace reeve::persistence
