#include "api/parameter_texts.hpp"

#include <array>
#include <utility>

namespace reeve::api {
namespace {

using text = std::pair<std::string_view, std::string_view>;

/// The resource that {id} names where it is not the segment before it without its s.
constexpr std::array owners{text{"images", "entry"}, text{"containers", "entry"}};

constexpr std::array path_texts{
    text{"name", "Name of the artifact, as the job's list of artifacts has it."},
    text{"position", "Position of the event in the log, from 1."},
    text{"version", "Number of the version, from 1."},
};

constexpr std::array query_texts{
    text{"after",
         "Only events after this position; a stream takes the `id` of one of its events too."},
    text{"attempt", "Number of the attempt, from 1; without it the last one."},
    text{"before", "Only events before this position."},
    text{"correlation_id", "Only events of the request with this id (X-Request-Id)."},
    text{"cursor",
         "`next` of the page before, of the same list with the same filters and order; without it, "
         "or empty, the first page."},
    text{"directive", "Only runs of the directive with this id."},
    text{"from", "Only events recorded at this time (RFC 3339) or later."},
    text{"is_active", "true or false: only those that are in force, or that are not."},
    text{"is_archived", "true or false: only those that are archived, or that are not."},
    text{"is_quarantined",
         "true or false: only jobs whose work waits for an operator, or the others."},
    text{"label", "KEY:VALUE; only runs with this label."},
    text{
        "limit",
        "Most rows of a page, 1 to 500; 50 without it. A page may have fewer, even none, and a "
        "`next` all the same: it has 1 MiB at most, and looks at 50,000 rows or for 200 ms to find "
        "those that fit the filters."},
    text{"name", "Only the one of this name."},
    text{"order", "asc (by position, as without it) or desc (newest first)."},
    text{"principal", "Only events caused by this principal, such as token:ID."},
    text{"retry_of", "Only runs that retry the run with this id."},
    text{"run", "Only jobs of the run with this id."},
    text{"since",
         "last_success (with `directive`): what was launched after the last successful run of its "
         "own tasks; or a time (RFC 3339): what was launched then or later."},
    text{"status", "Only those of this status."},
    text{"stream", "Only events of this stream, such as run-ID."},
    text{"task", "Only jobs of this kind of tasks."},
    text{"tenant", "Id of a tenant; an auditor may name any or none, everybody else only his own."},
    text{"to", "Only events recorded before this time (RFC 3339)."},
    text{"type", "Only events of this type, such as run_launched."},
    text{"verbose", "Any value: also the checks that passed."},
};

constexpr std::array header_texts{
    text{"Idempotency-Key",
         "Names the request, so that a repeat is answered as the first time and done once."},
    text{"If-Match", "ETag that the resource must have, else 412; compared strongly."},
    text{"If-None-Match", "ETag that the client has; 304 if it is still that one."},
    text{"Last-Event-ID",
         "`id` of the last event that the client has; the stream goes on after it."},
    text{"Reeve-Min-Position", "Reeve-Position of a write that the answer must show."},
};

template <class Texts>
std::string_view find(const Texts& texts, std::string_view name) {
  for (const auto& [known, said] : texts) {
    if (known == name) return said;
  }
  return {};
}

std::string owner_text(std::string_view pattern) {
  const auto end = pattern.find("/{id}");
  if (end == pattern.npos) return {};
  const auto begin = pattern.rfind('/', end - 1) + 1;
  const auto segment = pattern.substr(begin, end - begin);
  auto owner = find(owners, segment);
  if (owner.empty() && segment.ends_with('s')) owner = segment.substr(0, segment.size() - 1);
  return owner.empty() ? std::string() : "Id of the " + std::string(owner) + ".";
}

}  // namespace

std::string parameter_text(const route& of, std::string_view where, std::string_view name) {
  if (const auto own = find(of.parameter_texts, name); !own.empty()) return std::string(own);
  if (where == "header") return std::string(find(header_texts, name));
  if (where == "query") return std::string(find(query_texts, name));
  return name == "id" ? owner_text(of.pattern) : std::string(find(path_texts, name));
}

}  // namespace reeve::api
