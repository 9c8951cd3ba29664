#pragma once
// Connections that wait for a request, and which of them goes when its place is needed: of those
// that have shown no valid token yet the one that waits longest, then of the others. Nobody who is
// being answered stands in it. One thread only; standing up and sitting down cost no memory.

#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>

namespace reeve::api {

class waiting_line {
 public:
  /// A connection's own place. Its line outlives it.
  class seat {
   public:
    /// `address`: as in a share_holder. `give_way` is called when the connection has to go; it
    /// must not destroy the seat.
    seat(waiting_line& line, std::string address, std::function<void()> give_way);
    ~seat();
    seat(const seat&) = delete;
    seat& operator=(const seat&) = delete;

    /// At the end of the line, or where it stands already. `is_known`: a valid token was shown.
    void wait(bool is_known);
    void leave();
    bool waits() const { return in_line_; }

   private:
    friend class waiting_line;
    waiting_line& line_;
    std::string address_;
    std::function<void()> give_way_;
    std::list<seat*> node_, address_node_;  // hold this seat while it is not in the line
    const std::list<seat*>::iterator place_, address_place_;
    bool in_line_ = false;
    bool is_known_ = false;
  };

  /// Lets the first of the line go; false if nobody waits.
  bool evict();
  /// The first of those from this address.
  bool evict(const std::string& address);
  /// Also those that do not wait.
  std::size_t addresses() const { return addresses_.size(); }

 private:
  struct row {
    std::list<seat*> strangers, known;
    seat* first() const;
    std::list<seat*>& of(bool is_known) { return is_known ? known : strangers; }
  };
  struct address_row {
    row waiting;
    std::size_t seats = 0;
  };
  static bool evict_first(const row& from);

  row all_;
  std::unordered_map<std::string, address_row> addresses_;
};

}  // namespace reeve::api
