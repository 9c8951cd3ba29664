#pragma once
// Signs heads of the chain while a server runs, and tells how far it has come: every 10,000 events,
// after 60 s if something changed, on demand, and at the end. A head goes into the database and
// into a file outside of it, which is looked at first: a head that contradicts the last one in the
// file is never signed.

#include "base/outcome.hpp"
#include "base/slot.hpp"
#include "persistence/checkpoint.hpp"
#include "persistence/log_writer_port.hpp"

#include <functional>
#include <memory>
#include <string>

namespace reeve::persistence {

struct checkpoint_options {
  std::string writer_url;
  std::string heads_file;
  std::string key_file;  // made at the first use, mode 0600
  /// Told each second of a head that has moved, on the keeper's thread.
  std::function<void(const journal_head&)> on_progress = [](const auto&) {};
};

/// The public half of the key in that file, which is made if there is none.
outcome<std::string> public_key_in(const std::string& key_file);

/// `conflict`: the file's last head contradicts this one (another origin, a higher position, or the
/// same position with another hash). The same head again gives the signature that is there.
outcome<signed_head> sign_head(const checkpoint_options& options, const journal_head& head);

class checkpoint_keeper {
 public:
  /// `head` is called on the keeper's thread.
  checkpoint_keeper(checkpoint_options options, std::function<journal_head()> head);
  ~checkpoint_keeper();

  /// Signs the head of the moment, or gives its signature again; answers on the keeper's thread.
  /// Requests that wait at the same time get one signature. Errors: those of sign_head, and
  /// `unavailable` without a head, which the log has, the same one once; `overloaded` (64 wait).
  void sign_now(reply_slot<signed_head> slot);
  /// Whether the last head that was to be signed was not. Any thread.
  bool is_failing() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
