#pragma once
// Rendered documents in memory, bounded by bytes. Each belongs to a subject (a run, a job, an
// allowlist entry …); a commit that touches a subject throws its documents away before the writer
// is answered, and a fill that was under way at that moment is dropped: it may have read the rows
// as they were before. So what is found here is never older than an acknowledged write.
//
// Safe to call from any thread.

#include "persistence/append_port.hpp"
#include "persistence/read_port.hpp"

#include <array>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace reeve::persistence {

/// The two documents that a subject may have.
enum class rendering : std::size_t { plain, detail };

/// "<kind>:<tenant>:<id>"
std::string subject_of(std::string_view kind, const uuid& tenant, std::string_view id);

/// The subjects whose documents show this row.
std::vector<std::string> subjects_of(const projection_row& row);

class read_cache {
 public:
  explicit read_cache(std::size_t max_bytes) : max_(max_bytes) {}

  std::optional<document> find(const std::string& subject, rendering which);

  /// Before the database is asked. Every begin needs one end.
  std::uint64_t begin_fill(const std::string& subject);
  /// Keeps the document unless the subject was touched since; nothing to keep if it is empty.
  void end_fill(std::uint64_t ticket, const std::string& subject, rendering which,
                const document& filled);

  void touch(std::span<const projection_row> rows);
  /// Everything, also what is being filled: a table was put in another one's place.
  void clear();
  std::size_t bytes() const;

 private:
  struct entry {
    std::string subject;
    std::array<document, 2> documents;
    std::size_t bytes = 0;
  };
  struct fills {
    std::uint64_t touched = 0;
    int running = 0;
  };
  void drop(std::list<entry>::iterator which);

  mutable std::mutex mutex_;
  std::size_t max_;
  std::size_t bytes_ = 0;
  std::uint64_t touches_ = 0;
  std::list<entry> order_;  // front = used last
  std::unordered_map<std::string, std::list<entry>::iterator> entries_;
  std::unordered_map<std::string, fills> fills_;
};

}  // namespace reeve::persistence
