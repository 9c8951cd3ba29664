#pragma once
// A log_reader on a thread of its own, a few pages ahead of who uses them: reading and checking
// then share the time. Inside persistence/ only.

#include "persistence/log_reader.hpp"

#include <memory>
#include <vector>

namespace reeve::persistence {

class read_ahead {
 public:
  using page = std::vector<domain::event_record>;

  /// Reads up to `until` and no further, however much is appended meanwhile.
  read_ahead(log_reader reader, domain::position until);
  /// Does not wait for more than the page that is being read.
  ~read_ahead();
  read_ahead(const read_ahead&) = delete;
  read_ahead& operator=(const read_ahead&) = delete;

  /// As log_reader::next; the memory of the page that comes in is used again.
  outcome<bool> next(page& events);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
