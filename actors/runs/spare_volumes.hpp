#pragma once
// Volumes that are ready for an attempt: reeve-init and the folders of the usual user are on them.
// An engine needs 45 ms to unpack an archive (Docker 20.10 starts a process of its own for that),
// and that is off an attempt's way when it was done before. A few are prepared, one after the
// other, after an attempt is over; whoever finds none prepares his own. Each is taken once, by an
// intent that names it in the log, so that a restart finds the same volume with the same marker.
//
// What a process that ended left behind has its label and is swept by reconciliation. Thread-safe.

#include "adapters/engine_port.hpp"
#include "base/ids.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::actors {

/// The image of those containers: an empty folder. Imported when the engine does not have it.
inline constexpr std::string_view spare_image = "localhost:1/reeve-spare:1";

/// Of the names of spare volumes, and of the containers that they are made with.
inline constexpr std::string_view spare_prefix = "reeve-spare-";

struct spare_ports {
  adapters::container_engine& engine;  // outlives every call, or the pool is closed before
  std::function<std::optional<fencing_token>()> token;  // asked before every change
  id_source& ids;
  uuid instance;  // whose volumes they are
};

class spare_volumes : public std::enable_shared_from_this<spare_volumes> {
 public:
  static constexpr std::size_t most = 2;

  explicit spare_volumes(spare_ports ports) : ports_(ports), maker_(ports.ids.next()) {}

  /// The name of a volume that nobody else ever gets, whether it is used or not; nothing if none is
  /// ready.
  std::optional<std::string> take();
  /// Prepares what is missing. Nothing on a simulated engine. A failure ends it until the next
  /// call.
  void refill();
  /// Whether this pool made it.
  bool owns(const adapters::label_map& labels) const;
  /// Before a stop: removes what is ready, and makes no more. False: time was up.
  bool discard(std::chrono::milliseconds within);
  /// No further change of the engine; answers that still come are dropped.
  void close();

 private:
  using step = void (spare_volumes::*)(fencing_token);
  /// The engine unpacks archives into containers only. Theirs never start, and have an empty image
  /// of our own: one of a tenant's could bring volumes along that take in what is unpacked.
  void find_image(fencing_token by);
  void import_image(fencing_token by);
  void prepare(fencing_token by);
  void create(fencing_token by);
  void unpack(fencing_token by);
  void strip(fencing_token by);
  void done_with_it(fencing_token by);
  void fail();
  void rest();
  /// A slot that goes on with `next`, or gives up.
  reply_slot<done> then(step next);
  /// Nothing: no further change.
  std::optional<fencing_token> may_go_on() const;
  adapters::label_map labels() const;

  const spare_ports ports_;
  const uuid maker_;  // one a process
  mutable std::mutex mutex_;
  std::vector<std::string> ready_;
  std::condition_variable changed_;  // whenever a chain ends, or a volume is gone
  std::size_t leaving_ = 0;          // being removed
  bool stopping_ = false;
  bool closed_ = false;
  bool busy_ = false;  // one is being made: the two below are that chain's alone
  std::string image_;  // its id; empty: to be asked for
  std::string name_;
};

}  // namespace reeve::actors
