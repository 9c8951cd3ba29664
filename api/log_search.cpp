#include "api/log_search.hpp"

#include "api/routes/common.hpp"
#include "api/services.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace reeve::api {
namespace {

constexpr std::int64_t most_searched = 64 << 20;
constexpr std::int64_t most_us = 2 * us_per_second;
constexpr std::int64_t searched_bytes = 256 << 10;
/// What a line of the answer counts of its 1 MiB, beside its text.
constexpr std::size_t around_text = 512;
/// However late it is: the list of the logs, the rest of a piece that the place is in, and a whole
/// piece, so that every request comes further than the one before.
constexpr int least_steps = 3;

class log_search : public std::enable_shared_from_this<log_search> {
 public:
  log_search(services& s, log_search_query query, responder answer)
      : services_(s),
        query_(std::move(query)),
        resumes_(query_.logs.from),
        answer_(std::move(answer)),
        until_us_(s.clock->mono_us() + most_us) {
    if (query_.stream) made_.unknown_streams = 0;
  }

  void read_page() {
    using page = persistence::stored_log_page;
    services_.reads->stored_logs(query_.logs,
                                 reply_slot<page>([self = shared_from_this()](outcome<page> came) {
                                   if (!came) return self->answer_.answer(came.error());
                                   ++self->steps_;
                                   self->page_ = std::move(*came);
                                   self->index_ = 0;
                                   self->next_log();
                                 }));
  }

 private:
  const persistence::stored_log& log() const { return page_.logs[index_]; }

  persistence::stored_log_place place_of_log() const {
    return {log().created_position, log().job, log().attempt};
  }

  bool is_spent() const {
    if (made_.searched_bytes >= most_searched) return true;
    return steps_ >= least_steps && services_.clock->mono_us() >= until_us_;
  }

  /// How many lines there is room for.
  std::size_t room() const {
    if (text_bytes_ >= persistence::most_page_bytes) return 0;
    const auto lines = (persistence::most_page_bytes - text_bytes_) / around_text;
    return std::min(query_.limit - made_.results.size(), lines);
  }

  void next_log() {
    if (index_ == page_.logs.size()) {
      if (!page_.next) return finish(std::nullopt);
      query_.logs.from = page_.next;
      return is_spent() ? finish(log_search_place{*page_.next, {}}) : read_page();
    }
    const auto here = place_of_log();
    const auto from = resumes_ == here ? query_.at : scan_place{};
    if (is_spent()) return finish(log_search_place{here, from});
    streams_ = stored_streams(log().streams);
    if (query_.stream && !streams_.is_known()) {
      ++*made_.unknown_streams;
      return skip_log();
    }
    scanner_.emplace(query_.pattern, from, wanted());
    offset_ = from.offset;
    read_piece();
  }

  log_scanner::wanted_fn wanted() const {
    if (!query_.stream) return {};
    return [this, only = *query_.stream](std::int64_t line) {
      return streams_.is_read_of(only, line);
    };
  }

  void skip_log() {
    ++index_;
    next_log();
  }

  void read_piece() {
    if (offset_ >= log().bytes) return skip_log();
    // Up to where the next piece begins as it is stored.
    const auto size = std::min(searched_bytes - offset_ % searched_bytes, log().bytes - offset_);
    services_.reads->blob(
        query_.logs.tenant, log().sha256, offset_, size,
        reply_slot<std::string>([self = shared_from_this(), size](outcome<std::string> piece) {
          self->take(std::move(piece), size);
        }));
  }

  void take(outcome<std::string> piece, std::int64_t size) {
    if (!piece) {
      // One that is gone has nothing in it.
      if (piece.error().code == errc::not_found) return skip_log();
      return answer_.answer(piece.error());
    }
    ++steps_;
    read_marks(std::move(*piece), size);
  }

  /// Those of all the lines that the piece may tell of: of a line that it goes on with, and of as
  /// many more as it has newlines.
  void read_marks(std::string piece, std::int64_t size) {
    const auto lines = std::count(piece.begin(), piece.end(), '\n') + 2;
    const auto needed =
        query_.stream ? streams_.needs(scanner_->place().line, lines) : std::nullopt;
    if (!needed) return search(piece, size);
    services_.reads->blob(query_.logs.tenant, needed->sha256, needed->offset, needed->bytes,
                          reply_slot<std::string>([self = shared_from_this(), needed, size,
                                                   piece = std::move(piece)](auto marks) {
                            if (!marks && marks.error().code != errc::not_found) {
                              return self->answer_.answer(marks.error());
                            }
                            self->streams_.add(*needed, marks ? std::move(*marks) : std::string());
                            if (self->streams_.is_known()) return self->search(piece, size);
                            ++*self->made_.unknown_streams;
                            self->skip_log();
                          }));
  }

  void search(const std::string& piece, std::int64_t size) {
    offset_ += size;
    made_.searched_bytes += static_cast<std::int64_t>(piece.size());
    const bool is_last = offset_ >= log().bytes;
    for (auto& one : scanner_->take(piece, is_last, room())) add(std::move(one));
    if (scanner_->is_full()) return finish(log_search_place{place_of_log(), scanner_->place()});
    if (is_last) return skip_log();
    if (is_spent()) return finish(log_search_place{place_of_log(), scanner_->place()});
    read_piece();
  }

  void add(found_line line) {
    text_bytes_ += line.text.size() + around_text;
    const auto& of = log();
    made_.results.push_back({of.job, of.run, of.job_name, of.directive_name, of.attempt, line.line,
                             std::move(line.text), line.is_cut});
  }

  void finish(const std::optional<log_search_place>& next) {
    if (next) made_.next = cursor_in(query_.list, to_string(*next));
    answer_.answer(json_response(200, codec::encode_document(made_)));
  }

  services& services_;
  log_search_query query_;
  const std::optional<persistence::stored_log_place> resumes_;
  const responder answer_;
  const std::int64_t until_us_;
  persistence::stored_log_page page_;
  std::size_t index_ = 0;   // of the log in the page that is searched
  stored_streams streams_;  // of the log, as the scanner asks
  std::optional<log_scanner> scanner_;
  std::int64_t offset_ = 0;  // of the next piece
  int steps_ = 0;
  std::size_t text_bytes_ = 0;
  log_search_document made_;
};

}  // namespace

std::string to_string(const log_search_place& place) {
  return std::to_string(place.log.created_position) + ":" + reeve::to_string(place.log.job) + ":" +
         std::to_string(place.log.attempt) + ":" + to_string(place.at);
}

std::optional<log_search_place> parse_log_search_place(std::string_view text) {
  std::vector<std::string_view> parts;
  for (auto colon = text.find(':'); colon != text.npos; colon = text.find(':')) {
    parts.push_back(text.substr(0, colon));
    text.remove_prefix(colon + 1);
  }
  if (parts.size() != 3) return std::nullopt;
  const auto position = parse_number(parts[0]);
  const auto job = parse_uuid(parts[1]);
  const auto attempt = parse_number(parts[2]);
  const auto at = parse_scan_place(text);
  if (!position || !job || !attempt || !at) return std::nullopt;
  return log_search_place{{*position, *job, *attempt}, *at};
}

void search_logs(services& s, log_search_query query, const responder& answer) {
  std::make_shared<log_search>(s, std::move(query), answer)->read_page();
}

}  // namespace reeve::api
