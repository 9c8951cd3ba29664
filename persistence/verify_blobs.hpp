#pragma once
// Whether what is stored beside the log has the bytes of the SHA-256 under which it is stored, and
// whether all is there that the events of the log name (named_blobs.hpp). Nothing of the read
// models is asked, which whoever changes blobs can change as well. One thread.

#include "base/outcome.hpp"
#include "domain/event.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace reeve::persistence {

struct blobs_result {
  std::int64_t blobs = 0;    // that are stored and were read
  std::int64_t bytes = 0;    // of them, as they are
  std::int64_t changed = 0;  // whose bytes are not those of their SHA-256, or not as many
  std::int64_t named = 0;    // names that events gave; one blob may have several
  std::int64_t missing = 0;  // of what they name, not there; a SHA-256 of a tenant counts once
  std::string first;         // of these two: "tenant …, SHA-256 …"
  /// The first event that this program does not know or cannot read: nobody can say what it names.
  std::optional<domain::position> unread;
  bool good() const { return changed == 0 && missing == 0 && !unread; }
};

/// So many names are asked about at once, each of some 150 bytes.
inline constexpr std::size_t blob_names_at_once = 1000;
/// Of so many missing ones the names are kept, to count a SHA-256 once and to forget one whose name
/// was given anew; beyond that each name counts. With the batch that is some 5 MiB of memory,
/// however long the log is.
inline constexpr std::size_t most_missing_kept = 10'000;

class blob_check {
 public:
  /// `url`: the owner's login. `unavailable`: the database cannot be reached.
  static outcome<blob_check> open(const std::string& url);
  blob_check(blob_check&&) noexcept;
  blob_check& operator=(blob_check&&) noexcept;
  ~blob_check();

  /// The events of the log, in their order. What the last one of a job and a name names has to be
  /// there: what was named before it may have been swept. `unavailable`: the database went away.
  outcome<done> add(const domain::event_record& e);

  /// Then reads all that is stored, in pieces of at most 1 MiB; what is removed meanwhile counts as
  /// nothing. Errors as `add`.
  outcome<blobs_result> finish();

 private:
  struct impl;
  explicit blob_check(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
