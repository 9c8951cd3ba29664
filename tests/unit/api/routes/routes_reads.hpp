#pragma once
// A read port over memory, with the promises of the real one: rows belong to one tenant, pages go
// by position, events have no gaps. It answers at once, or when a test says so.

#include "api/routes/common.hpp"
#include "codec/event_json.hpp"
#include "domain/runs/run.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace routes_fixture {

using namespace reeve;
using persistence::collection;

class memory_reads final : public persistence::read_port {
 public:
  struct stored {
    collection what;
    uuid tenant;
    std::string id;
    domain::position created = 0;
    std::string doc;
  };

  // What the projections would write.
  void put(collection what, uuid tenant, const std::string& id, domain::position created,
           std::string doc) {
    for (auto& row : rows) {
      if (row.what == what && row.tenant == tenant && row.id == id) {
        row.doc = std::move(doc);
        return;
      }
    }
    rows.push_back({what, tenant, id, created, std::move(doc)});
  }
  std::vector<stored> rows;
  std::map<std::pair<uuid, std::string>, std::string> details;  // tenant and "run/…" or "job/…"
  std::vector<domain::event_record> log;                        // position i stands at i - 1
  std::map<std::pair<uuid, std::string>, std::string> blobs;    // tenant and hexadecimal digest
  std::optional<last_success> success;
  domain::llm_sums spent;  // of whatever is asked
  std::vector<persistence::llm_spent_query> spent_asked;
  persistence::llm_usage_query usage;  // that was asked for last
  std::string since;                   // of the list that was asked for last
  /// While set, answers about events wait here instead of being given.
  bool hold = false;
  std::deque<std::function<void()>> held;
  std::atomic<std::size_t> event_reads{0};
  /// Events of a stream or tenant that a page looks at, whether they fit its other filters or not.
  std::size_t most_walked = 1 << 20;

  void get(collection what, uuid tenant, const std::string& id,
           reply_slot<persistence::document> slot) override {
    const auto parsed = parse_uuid(id);
    const auto wanted = parsed ? to_string(*parsed) : id;
    for (const auto& row : rows) {
      if (row.what == what && row.tenant == tenant && row.id == wanted) {
        return slot.answer(document_of(row.doc));
      }
    }
    slot.answer(api::no_such());
  }

  void list(persistence::list_query query, reply_slot<persistence::document> slot) override {
    since = query.since;
    const auto skipped = api::parse_number(query.cursor.empty() ? "0" : query.cursor);
    if (!skipped) return slot.answer(reject(errc::invalid, "not one of ours", "/cursor"));
    std::vector<const stored*> found;
    for (const auto& row : rows) {
      if (row.what == query.what && fits(row, query)) found.push_back(&row);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](auto* a, auto* b) { return a->created > b->created; });
    const auto first = std::min(static_cast<std::size_t>(*skipped), found.size());
    const auto end = std::min(first + static_cast<std::size_t>(query.limit), found.size());
    std::string body = "{\"results\":[";
    for (auto i = first; i < end; ++i) body += (i > first ? "," : "") + found[i]->doc;
    const auto next = end < found.size() ? "\"" + std::to_string(end) + "\"" : "null";
    slot.answer(document_of(body + "],\"next\":" + next + "}"));
  }

  void run_detail(uuid tenant, uuid run, reply_slot<persistence::document> slot) override {
    detail(tenant, "run/" + to_string(run), slot);
  }
  void job_detail(uuid tenant, uuid job, reply_slot<persistence::document> slot) override {
    detail(tenant, "job/" + to_string(job), slot);
  }

  void run_of_job(uuid tenant, uuid job, reply_slot<std::optional<uuid>> slot) override {
    for (const auto& row : rows) {
      if (row.what != collection::jobs || row.tenant != tenant || row.id != to_string(job))
        continue;
      const auto doc = codec::parse_strict(row.doc);
      return slot.answer(parse_uuid(doc->root().find("run_id")->as_string()));
    }
    slot.answer(std::optional<uuid>());
  }

  void llm_usage(persistence::llm_usage_query query,
                 reply_slot<persistence::document> slot) override {
    usage = std::move(query);
    slot.answer(document_of(R"({"results":[],"next":null})"));
  }

  void llm_spent(persistence::llm_spent_query query, reply_slot<domain::llm_sums> slot) override {
    spent_asked.push_back(std::move(query));
    slot.answer(spent);
  }

  void events(persistence::event_query query, reply_slot<persistence::event_page> slot) override {
    ++event_reads;
    auto page = page_of(query);
    if (!hold) return slot.answer(std::move(page));
    held.push_back([slot, page = std::move(page)] { slot.answer(page); });
  }

  void event(std::optional<uuid> tenant, domain::position at, domain::event_reader reader,
             reply_slot<persistence::document> slot) override {
    if (at < 1 || at > head() || (tenant && log[index(at)].tenant != *tenant)) {
      return slot.answer(api::no_such());
    }
    slot.answer(document_of(codec::event_json(log[index(at)], reader)));
  }

  void last_successful_run(uuid, uuid, reply_slot<std::optional<last_success>> slot) override {
    slot.answer(std::optional(success));
  }

  /// What is known of the streams of logs that are stored from now on: a letter a line, "o", "e"
  /// and "r" for Reeve's own; none: nothing.
  void know_streams(uuid tenant, const std::string& log, std::string_view letters) {
    domain::line_marks marks;
    for (const char c : letters) {
      marks.add(c == 'o'   ? domain::line_stream::out
                : c == 'e' ? domain::line_stream::err
                           : domain::line_stream::reeve);
    }
    streams.reset();
    if (letters.empty()) return;
    streams = domain::measured(log, marks);
    if (domain::single_stream(marks)) return;
    const auto& packed = marks.packed();
    blobs[{tenant, to_hex(sha256(packed))}] = packed;
    streams->marks = {sha256(packed), static_cast<std::int64_t>(packed.size()), false};
  }
  domain::attempt_end ending(domain::end_reason how, const domain::blob_ref& log) {
    if (streams) streams_of[to_hex(log.sha256)] = *streams;
    return {how, {}, log, false, false, streams};
  }
  std::optional<domain::log_streams> streams;
  std::map<std::string, domain::log_streams> streams_of;  // by hexadecimal digest of the log

  /// Of so many jobs is a page of stored logs; the real one has more.
  std::size_t jobs_a_page = 2;
  std::size_t log_pages = 0, pieces = 0;  // that were asked for

  void stored_logs(persistence::stored_log_query query,
                   reply_slot<persistence::stored_log_page> slot) override {
    ++log_pages;
    std::vector<const stored*> jobs;
    for (const auto& row : rows) {
      if (row.what == collection::jobs && row.tenant == query.tenant) jobs.push_back(&row);
    }
    std::sort(jobs.begin(), jobs.end(), [](auto* a, auto* b) {
      return std::pair(a->created, a->id) > std::pair(b->created, b->id);
    });
    persistence::stored_log_page page;
    std::size_t walked = 0;
    for (const auto* row : jobs) {
      if (query.from) {
        const auto place = std::pair(query.from->created_position, to_string(query.from->job));
        const auto here = std::pair(row->created, row->id);
        if (here > place || (here == place && query.from->attempt == 0)) continue;
      }
      add_logs(*row, query, page);
      if (++walked < jobs_a_page) continue;
      page.next = persistence::stored_log_place{row->created, *parse_uuid(row->id), 0};
      break;
    }
    slot.answer(std::move(page));
  }

  void blob(uuid tenant, const digest& sha256, std::int64_t offset, std::int64_t size,
            reply_slot<std::string> slot) override {
    ++pieces;
    const auto found = blobs.find({tenant, to_hex(sha256)});
    if (found == blobs.end()) return slot.answer(api::no_such());
    slot.answer(
        found->second.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(size)));
  }

  void command(uuid, const std::string&, const std::string&, const std::string&,
               reply_slot<std::optional<known_command>> slot) override {
    slot.answer(std::optional<known_command>());
  }
  void stream(uuid, const std::string&, domain::version, int,
              reply_slot<std::vector<domain::event_record>> slot) override {
    slot.answer(std::vector<domain::event_record>());
  }
  domain::position head() const override { return static_cast<domain::position>(log.size()); }

 private:
  static std::size_t index(domain::position at) { return static_cast<std::size_t>(at - 1); }

  static persistence::document document_of(const std::string& body) {
    return {std::make_shared<const std::string>(body), api::etag_of(body)};
  }

  void detail(uuid tenant, const std::string& key, const reply_slot<persistence::document>& slot) {
    const auto found = details.find({tenant, key});
    found == details.end() ? slot.answer(api::no_such()) : slot.answer(document_of(found->second));
  }

  /// By its run, its job and where a page goes on; its attempts are those of the document.
  void add_logs(const stored& row, const persistence::stored_log_query& query,
                persistence::stored_log_page& page) const {
    const auto doc = codec::decode_text<domain::job_document>(row.doc);
    if (query.job && *query.job != doc->id) return;
    if (query.run && *query.run != doc->run_id) return;
    for (auto one = doc->attempts.rbegin(); one != doc->attempts.rend(); ++one) {
      const bool is_past =
          query.from && query.from->job == doc->id && one->number > query.from->attempt;
      if (is_past || !one->log || one->log->bytes == 0) continue;
      page.logs.push_back({row.created,
                           doc->id,
                           doc->run_id,
                           one->number,
                           doc->name,
                           "d",
                           one->log->sha256,
                           one->log->bytes,
                           {}});
      const auto known = streams_of.find(to_hex(one->log->sha256));
      if (known != streams_of.end()) page.logs.back().streams = known->second;
    }
  }

  static bool fits(const stored& row, const persistence::list_query& query) {
    if (row.tenant != query.tenant) return false;
    if (query.created_after && row.created <= *query.created_after) return false;
    const auto doc = codec::parse_strict(row.doc);
    for (const auto& [column, value] : query.equals) {
      // The one filter that is not a member of the document.
      if (query.what == collection::directive_versions) {
        if (!row.id.starts_with(value)) return false;
        continue;
      }
      const auto member = doc->root().find(column);
      if (!member) return false;
      const auto text = member->is_string() ? std::string(member->as_string()) : member->text();
      if (text != value) return false;
    }
    for (const auto& [key, value] : query.labels) {
      const auto label = doc->root().find("labels")->find(key);
      if (!label || label->as_string() != value) return false;
    }
    return true;
  }

  outcome<persistence::event_page> page_of(const persistence::event_query& query) const {
    if (query.after > head()) return reject(errc::position_ahead, "not there yet", "/after");
    persistence::event_page page;
    page.head = head();
    std::vector<const domain::event_record*> walked;
    for (const auto& e : log) {
      const bool in_range = (!query.tenant || e.tenant == *query.tenant) &&
                            (!query.stream || e.stream == *query.stream) &&
                            (!query.from_us || e.recorded_at_us >= *query.from_us) &&
                            (!query.to_us || e.recorded_at_us < *query.to_us) &&
                            e.position > query.after &&
                            (!query.before || e.position < *query.before);
      if (in_range) walked.push_back(&e);
    }
    if (query.newest_first) std::reverse(walked.begin(), walked.end());
    if (walked.size() > most_walked) {
      walked.resize(most_walked);
      page.next = walked.back()->position;
    }
    std::vector<const domain::event_record*> found;
    for (const auto* e : walked) {
      const bool fits = (!query.type || e->type == *query.type) &&
                        (!query.principal || e->meta.principal == *query.principal) &&
                        (!query.correlation_id || e->meta.correlation_id == *query.correlation_id);
      if (fits) found.push_back(e);
    }
    if (found.size() > static_cast<std::size_t>(query.limit)) {
      found.resize(static_cast<std::size_t>(query.limit));
      page.next = found.back()->position;
    }
    for (const auto* e : found)
      page.events.push_back({e->position, e->type, codec::event_json(*e, query.reader)});
    return page;
  }
};

}  // namespace routes_fixture
