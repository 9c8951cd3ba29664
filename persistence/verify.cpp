#include "persistence/verify.hpp"

#include "codec/codec.hpp"
#include "persistence/admission.hpp"
#include "persistence/chain_verifier.hpp"
#include "persistence/read_ahead.hpp"
#include "persistence/stored_heads.hpp"

#include <charconv>
#include <utility>

namespace reeve::persistence {
namespace {

/// Positions begin with 1, but a row that somebody put below it must not be read over.
constexpr domain::position before_everything = INT64_MIN + 1;

/// The chain, event by event, against the signed heads: those that are known from the start, and
/// those that an export has behind the events that they sign.
class verification {
 public:
  verification(const uuid& origin, const verify_options& options, head_stream heads)
      : chain_(origin),
        public_key_(options.public_key),
        on_event_(options.on_event),
        heads_(std::move(heads)) {
    result_.origin = origin;
    expect_next();
    if (options.known_file.empty() || trouble_) return;
    auto known = read_known(options.known_file);
    if (!known) {
      trouble_ = known.error();
    } else if (*known && (*known)->origin == to_string(origin)) {
      mark_ = std::move(*known);
    }
  }

  bool add(const domain::event_record& e) {
    // The leaf has one byte for it: a larger number would pass for a smaller one.
    if (e.payload_format < 0 || e.payload_format > 255) {
      return bad(chain_.head() + 1, "its payload has no format that there is");
    }
    if (result_.tenant && e.tenant != *result_.tenant) {
      return bad(chain_.head() + 1, "it is another tenant's than the export is for");
    }
    return follow(chain_.add(e)) && tell(e);
  }

  bool add_leaf(domain::position at, const digest& leaf) {
    if (!result_.tenant) return bad(chain_.head() + 1, "an event of a whole export is missing");
    ++result_.leaves;
    return follow(chain_.add_leaf(at, leaf));
  }

  /// Whose events are there whole: all of them, and nobody else's.
  void is_filtered_by(const std::optional<uuid>& tenant) { result_.tenant = tenant; }

  /// A head that stands here, behind the event that it signs.
  bool add_head(const signed_head& head) {
    if (head.position > chain_.head()) return cut_off(head);
    if (head.position < chain_.head()) {
      return bad(chain_.head() + 1, "a checkpoint is out of its place");
    }
    ++heads_between_;
    // The same head may be known from outside as well; it was checked already.
    if (met_ == head) return true;
    return check(head);
  }

  /// Nothing follows. The first thing that does not fit was told already, or is told now.
  /// The error of what tells the heads, if that has failed.
  outcome<verify_result> finish() {
    if (trouble_ && result_.good()) return *trouble_;
    if (result_.good() && expected_) cut_off(*expected_);
    if (result_.good() && mark_ && mark_->position > chain_.head()) {
      bad(chain_.head() + 1, "the log ends before position " + std::to_string(mark_->position) +
                                 ", up to which this server knew it");
    }
    result_.events = chain_.events();
    result_.head = chain_.head();
    result_.hash = chain_.hash();
    return result_;
  }

  bool bad(domain::position at, std::string what) {
    if (!result_.good()) return false;
    result_.first_bad = at;
    result_.what = std::move(what);
    return false;
  }

  bool good() const { return result_.good() && !trouble_; }
  domain::position head() const { return chain_.head(); }
  std::int64_t events() const { return chain_.events(); }
  std::int64_t leaves() const { return result_.leaves; }
  /// Those that add_head() took.
  std::int64_t heads_between() const { return heads_between_; }

 private:
  bool follow(std::string why) {
    if (!why.empty()) return bad(chain_.head() + 1, std::move(why));
    while (expected_ && expected_->position <= chain_.head()) {
      if (!check(*expected_)) return false;
      if (heads_.is_missing_inside()) {
        return bad(expected_->position, "its checkpoint is missing in the database");
      }
      met_ = std::move(expected_);
      expect_next();
    }
    if (mark_ && mark_->position == chain_.head() && !check_mark()) return false;
    return !trouble_;
  }

  bool tell(const domain::event_record& e) {
    if (!on_event_) return true;
    if (auto ok = on_event_(e); !ok) trouble_ = ok.error();
    return !trouble_;
  }

  bool check_mark() {
    if (mark_->hash != chain_.hash()) {
      return bad(chain_.head(), "it is not the event that this server knew");
    }
    result_.marked_to = chain_.head();
    return true;
  }

  void expect_next() {
    expected_.reset();
    auto head = heads_.next();
    if (head) {
      expected_ = std::move(*head);
    } else {
      trouble_ = head.error();
    }
  }

  bool check(const signed_head& head) {
    const auto at = head.position;
    if (at != chain_.head()) return bad(at, "a checkpoint is where no event can be");
    if (head.origin != result_.origin) return bad(at, "its checkpoint is another log's");
    if (!public_key_.empty() && head.public_key != public_key_) {
      return bad(at, "its checkpoint was signed by another key");
    }
    if (!is_genuine(head)) return bad(at, "the signature of its checkpoint is wrong");
    if (head.hash != chain_.hash()) return bad(at, "its hash is not the one that was signed");
    ++result_.checkpoints;
    result_.signed_to = at;
    return true;
  }

  bool cut_off(const signed_head& head) {
    return bad(chain_.head() + 1,
               "the log ends before its checkpoint at " + std::to_string(head.position));
  }

  chain_verifier chain_;
  std::string public_key_;
  std::function<outcome<done>(const domain::event_record&)> on_event_;
  head_stream heads_;
  std::optional<signed_head> expected_;  // the next one that is known from the start
  std::optional<signed_head> met_;       // the one before
  std::optional<known_database> mark_;
  std::optional<rejection> trouble_;
  std::int64_t heads_between_ = 0;
  verify_result result_;
};

/// False at the first event that does not fit. `invalid`: a row that cannot be read.
outcome<bool> verify_range(const std::string& url, const log_range& range, verification& v) {
  auto reader = log_reader::open(url, range);
  if (!reader) return reader.error();
  const auto until = range.until.value_or(reader->head());
  read_ahead pages(std::move(*reader), until);
  read_ahead::page page;
  for (;;) {
    const auto more = pages.next(page);
    if (!more) return more.error();
    if (!*more) return true;
    for (const auto& e : page) {
      if (!v.add(e)) return false;
    }
  }
}

domain::position position_of(const rejection& why) {
  domain::position at = 0;
  std::from_chars(why.field.data(), why.field.data() + why.field.size(), at);
  return at;
}

}  // namespace

outcome<verify_result> verify_database(const std::string& url, const verify_options& options) {
  // Before the events: a head that is signed meanwhile would lie behind the last one of them.
  auto heads = head_stream::open(url, options.heads_file);
  if (!heads) return heads.error();
  uuid origin;
  {
    auto reader = log_reader::open(url);
    if (!reader) return reader.error();
    origin = reader->origin();
  }
  verification v(origin, options, std::move(*heads));
  log_range range;
  range.after = before_everything;
  auto fits = verify_range(url, range, v);
  if (!fits && fits.error().code == errc::invalid) {
    // Of what stands before that row, a part was read together with it and not handed out.
    const auto why = fits.error();
    range.after = v.events() == 0 ? before_everything : v.head();
    range.until = position_of(why) - 1;
    fits = verify_range(url, range, v);
    if (fits) v.bad(position_of(why), why.detail);
  }
  if (!fits) return fits.error();
  return v.finish();
}

namespace {

constexpr std::string_view event_start = "{\"causation_id\":";
constexpr std::string_view leaf_start = "{\"leaf\":";
constexpr std::string_view checkpoint_start = "{\"checkpoint\":";

/// Decodes a line that must be in its one form.
template <class T>
std::optional<T> exact(std::string_view line) {
  auto value = codec::decode_text<T>(line);
  if (!value || codec::encode(*value) != line) return std::nullopt;
  return std::move(*value);
}

/// False at the first line that does not fit.
bool take_line(verification& v, const std::string& line, bool& ended) {
  const auto next = v.head() + 1;
  if (ended) return v.bad(next, "there is more behind the export's end");
  if (line.starts_with(checkpoint_start)) {
    const auto head = exact<export_checkpoint>(line);
    return head ? v.add_head(head->checkpoint) : v.bad(next, "a checkpoint cannot be read");
  }
  if (!line.starts_with(event_start) && !line.starts_with(leaf_start)) {
    const auto end = exact<export_trailer>(line);
    if (!end) return v.bad(next, "its line cannot be read");
    ended = true;
    if (end->reeve_export_end.events != v.events()) {
      return v.bad(next, "the export's end tells another number of events");
    }
    if (end->reeve_export_end.leaves != v.leaves()) {
      return v.bad(next, "the export's end tells another number of leaves");
    }
    if (end->reeve_export_end.checkpoints == v.heads_between()) return true;
    return v.bad(next, "the export's end tells another number of checkpoints");
  }
  const auto made = import_line(line);
  if (!made) return v.bad(next, "its line cannot be read");
  return made->event ? v.add(*made->event) : v.add_leaf(made->position, made->leaf);
}

}  // namespace

outcome<verify_result> verify_export(const line_source& lines, const verify_options& options) {
  const auto first = lines();
  const auto header = first ? exact<export_header>(*first) : std::nullopt;
  if (!header || header->reeve_export != 1) {
    return reject(errc::invalid, "the input is no exported log of this format");
  }
  auto outside = head_stream::open("", options.heads_file);
  if (!outside) return outside.error();
  verification v(header->origin, options, std::move(*outside));
  v.is_filtered_by(header->tenant);
  bool ended = false;
  for (auto line = lines(); line; line = lines()) {
    if (!take_line(v, *line, ended)) break;
  }
  if (v.good() && !ended) v.bad(v.head() + 1, "the export was cut off");
  return v.finish();
}

}  // namespace reeve::persistence
