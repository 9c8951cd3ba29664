#include "persistence/stored_heads.hpp"

#include "persistence/pg_session.hpp"
#include "persistence/pg_values.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace reeve::persistence {
namespace {

using maybe_head = std::optional<signed_head>;

constexpr std::size_t page_size = 1000;
// Different heads at one position are a sign of forgery; nobody needs more of them to see it.
constexpr std::size_t most_at_one_position = 16;

rejection unreadable() {
  return reject(errc::unavailable, "the checkpoints cannot be read");
}

/// In the database the key is named by its public half.
signed_head head_of(const pqxx::row& r) {
  signed_head h;
  h.position = r[0].as<std::int64_t>();
  h.origin = uuid_of(r[1]);
  h.epoch = r[2].as<std::int64_t>();
  h.hash = digest_of(r[3]);
  h.public_key = r[4].as<std::string>();
  h.signature = to_base64url(bytes_of(r[5]));
  if (const auto key = ed25519_public_key::parse(h.public_key)) h.key_id = key->id();
  return h;
}

/// Those of the database, by pages.
class stored_source {
 public:
  void open(const std::string& url) {
    connection_ = connect_session(url, "reeve_heads");
    pqxx::nontransaction tx(*connection_);
    const auto last = tx.exec1("SELECT max(position) FROM reeve.checkpoints")[0];
    is_done_ = last.is_null();
    if (!is_done_) until_ = last.as<std::int64_t>();
  }

  maybe_head next() {
    if (page_.empty() && !is_done_) read_page();
    if (page_.empty()) return std::nullopt;
    maybe_head head(std::move(page_.front()));
    page_.pop_front();
    return head;
  }

 private:
  void read_page() {
    pqxx::nontransaction tx(*connection_);
    const auto rows = tx.exec_params(
        "SELECT position, origin, epoch, hash, key_id, signature FROM reeve.checkpoints"
        " WHERE position BETWEEN $1::bigint AND $2::bigint ORDER BY position LIMIT $3::bigint",
        from_, until_, static_cast<std::int64_t>(page_size));
    for (const auto& r : rows) page_.push_back(head_of(r));
    is_done_ = rows.size() < page_size || page_.back().position == until_;
    if (!is_done_) from_ = page_.back().position + 1;
  }

  std::unique_ptr<pqxx::connection> connection_;
  std::deque<signed_head> page_;
  std::int64_t from_ = INT64_MIN;
  std::int64_t until_ = INT64_MIN;
  bool is_done_ = true;
};

}  // namespace

struct head_stream::impl {
  explicit impl(const std::string& file) : path(file), lines(file) {}

  outcome<done> advance_outside() {
    const auto before = outside ? outside->position : INT64_MIN;
    auto head = lines.next();
    if (!head) return head.error();
    outside = std::move(*head);
    if (!outside || outside->position >= before) return done{};
    return reject(errc::invalid,
                  "line " + std::to_string(lines.line()) + " of " + path + " is out of order");
  }

  /// Whether it was given before; remembers it if not.
  outcome<bool> is_known(const signed_head& head) {
    if (!given.empty() && given.front().position != head.position) given.clear();
    if (std::find(given.begin(), given.end(), head) != given.end()) return true;
    if (given.size() >= most_at_one_position) {
      return reject(errc::invalid, path + " has more than 16 different heads at position " +
                                       std::to_string(head.position));
    }
    given.push_back(head);
    return false;
  }

  outcome<maybe_head> next() {
    for (;;) {
      const bool from_database = inside && (!outside || inside->position <= outside->position);
      auto head = from_database ? inside : outside;
      if (!head) return maybe_head();
      if (from_database) {
        inside = stored.next();
      } else if (auto ok = advance_outside(); !ok) {
        return ok.error();
      }
      const auto known = is_known(*head);
      if (!known) return known.error();
      if (*known) continue;
      missing = compares && !from_database && outside.has_value();
      return head;
    }
  }

  std::string path;
  head_lines lines;
  stored_source stored;
  maybe_head inside, outside;      // the next one of each
  std::vector<signed_head> given;  // at the position of the last one
  bool compares = false;           // there is a database beside the file
  bool missing = false;            // the last one in the database, though it should be there
};

head_stream::head_stream(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
head_stream::head_stream(head_stream&&) noexcept = default;
head_stream& head_stream::operator=(head_stream&&) noexcept = default;
head_stream::~head_stream() = default;

outcome<head_stream> head_stream::open(const std::string& url, const std::string& heads_file) {
  auto made = std::make_unique<impl>(heads_file);
  try {
    made->compares = !url.empty();
    if (made->compares) made->stored.open(url);
    made->inside = made->stored.next();
  } catch (const std::exception&) {
    return unreadable();
  }
  if (auto ok = made->advance_outside(); !ok) return ok.error();
  return head_stream(std::move(made));
}

bool head_stream::is_missing_inside() const {
  return impl_->missing;
}

outcome<std::optional<signed_head>> head_stream::next() {
  try {
    return impl_->next();
  } catch (const std::exception&) {
    return unreadable();
  }
}

}  // namespace reeve::persistence
