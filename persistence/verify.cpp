#include "persistence/verify.hpp"

#include "codec/codec.hpp"
#include "persistence/log_reader.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/pg_values.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace reeve::persistence {
namespace {

/// What the signed heads say about positions.
class head_book {
 public:
  explicit head_book(std::string public_key) : public_key_(std::move(public_key)) {}

  /// Empty = it may be counted.
  std::string add(const signed_head& head) {
    if (!public_key_.empty() && head.public_key != public_key_) {
      return "its checkpoint was signed by another key";
    }
    if (!is_genuine(head)) return "the signature of its checkpoint is wrong";
    heads_.emplace(head.position, head);
    return {};
  }

  const std::multimap<domain::position, signed_head>& heads() const { return heads_; }

 private:
  std::string public_key_;
  std::multimap<domain::position, signed_head> heads_;
};

/// The chain against the book; heads are known before or after the events.
class verification {
 public:
  verification(const uuid& origin, const verify_options& options)
      : chain_(origin), book_(options.public_key) {
    result_.origin = origin;
  }

  bool add_head(const signed_head& head) {
    if (head.origin != result_.origin) return bad(head.position, "its checkpoint is another log's");
    if (auto why = book_.add(head); !why.empty()) return bad(head.position, std::move(why));
    return true;
  }

  bool add(const domain::event_record& e) {
    if (auto why = chain_.add(e); !why.empty()) return bad(chain_.head() + 1, std::move(why));
    return remember(e.position);
  }

  bool add_leaf(domain::position at, const digest& leaf) {
    if (auto why = chain_.add_leaf(at, leaf); !why.empty()) {
      return bad(chain_.head() + 1, std::move(why));
    }
    return remember(at);
  }

  /// Heads of positions that were passed before they were known.
  void keep_hashes() { keep_ = true; }

  verify_result finish() {
    result_.events = chain_.events();
    result_.head = chain_.head();
    result_.hash = chain_.hash();
    for (const auto& [at, head] : book_.heads()) {
      if (!result_.good()) break;
      check(at, head);
    }
    return result_;
  }

  bool bad(domain::position at, std::string what) {
    if (result_.first_bad && *result_.first_bad <= at) return false;
    result_.first_bad = at;
    result_.what = std::move(what);
    return false;
  }

 private:
  bool remember(domain::position at) {
    if (keep_ || book_.heads().contains(at)) hashes_[at] = chain_.hash();
    return true;
  }

  void check(domain::position at, const signed_head& head) {
    if (at > chain_.head()) {
      bad(chain_.head() + 1, "the log ends before its checkpoint at " + std::to_string(at));
      return;
    }
    const auto found = hashes_.find(at);
    if (found == hashes_.end() || found->second != head.hash) {
      bad(at, "its hash is not the one that was signed");
      return;
    }
    ++result_.checkpoints;
  }

  chain_verifier chain_;
  head_book book_;
  std::map<domain::position, digest> hashes_;
  bool keep_ = false;
  verify_result result_;
};

outcome<std::vector<signed_head>> heads_in_database(const std::string& url) {
  try {
    auto connection = connect_session(url, "reeve_verify");
    pqxx::nontransaction tx(*connection);
    std::vector<signed_head> heads;
    for (const auto& r : tx.exec("SELECT position, origin, epoch, hash, key_id, signature,"
                                 " created_at_us FROM reeve.checkpoints ORDER BY position")) {
      signed_head h;
      h.position = r[0].as<std::int64_t>();
      h.origin = uuid_of(r[1]);
      h.epoch = r[2].as<std::int64_t>();
      h.hash = digest_of(r[3]);
      h.public_key = r[4].as<std::string>();
      h.signature = to_base64url(bytes_of(r[5]));
      h.created_at_us = r[6].as<std::int64_t>();
      if (const auto key = ed25519_public_key::parse(h.public_key)) h.key_id = key->id();
      heads.push_back(std::move(h));
    }
    return heads;
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the checkpoints cannot be read");
  }
}

/// Pages between the thread that reads and the one that verifies; two at a time.
class page_pipe {
 public:
  using page = std::vector<domain::event_record>;

  void put(page& filled) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return full_.size() < 2 || closed_; });
    full_.emplace_back(std::move(filled));
    filled.clear();
    changed_.notify_all();
  }
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  bool take(page& out) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !full_.empty() || closed_; });
    if (full_.empty()) return false;
    out = std::move(full_.front());
    full_.erase(full_.begin());
    changed_.notify_all();
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<page> full_;
  bool closed_ = false;
};

}  // namespace

outcome<verify_result> verify_database(const std::string& url, const verify_options& options) {
  auto reader = log_reader::open(url);
  if (!reader) return reader.error();
  verification v(reader->origin(), options);
  auto heads = heads_in_database(url);
  if (!heads) return heads.error();
  auto outside = read_heads(options.heads_file);
  if (!outside) return outside.error();
  heads->insert(heads->end(), outside->begin(), outside->end());
  bool good = true;
  for (const auto& head : *heads) good = v.add_head(head) && good;
  page_pipe pipe;
  outcome<bool> read(true);
  std::thread feeder([&] {
    page_pipe::page page;
    for (;;) {
      read = reader->next(page);
      if (!read || page.empty()) break;
      const bool more = *read;
      pipe.put(page);
      if (!more) break;
    }
    pipe.close();
  });
  page_pipe::page page;
  bool fits = true;
  while (pipe.take(page)) {
    for (const auto& e : page) {
      if (!fits) break;
      fits = v.add(e);
    }
  }
  feeder.join();
  if (!read) {
    // A row that cannot even be read is the first that does not fit.
    if (read.error().code != errc::invalid) return read.error();
    v.bad(std::atoll(read.error().field.c_str()), read.error().detail);
  }
  return v.finish();
}

namespace {

struct export_header {
  std::int64_t reeve_export = 0;
  uuid origin;
  static constexpr auto fields() {
    return std::tuple{domain::field("reeve_export", &export_header::reeve_export),
                      domain::field("origin", &export_header::origin)};
  }
};

struct export_checkpoint {
  signed_head checkpoint;
  static constexpr auto fields() {
    return std::tuple{domain::field("checkpoint", &export_checkpoint::checkpoint)};
  }
};

struct export_end {
  std::int64_t events = 0;
  static constexpr auto fields() {
    return std::tuple{domain::field("reeve_export_end", &export_end::events)};
  }
};

/// Events, then heads, then the trailer; false at the first line that does not fit.
bool take_line(verification& v, const std::string& line, std::int64_t& seen, bool& ended) {
  if (line.starts_with("{\"checkpoint\"")) {
    auto head = codec::decode_text<export_checkpoint>(line);
    return head ? v.add_head(head->checkpoint) : v.bad(seen + 1, "a checkpoint cannot be read");
  }
  if (line.starts_with("{\"reeve_export_end\"")) {
    auto end = codec::decode_text<export_end>(line);
    ended = end && end->events == seen;
    return ended ? true : v.bad(seen + 1, "the export says that there were more events");
  }
  auto made = import_line(line);
  if (!made) return v.bad(seen + 1, "its line cannot be read");
  ++seen;
  return made->event ? v.add(*made->event) : v.add_leaf(made->position, made->leaf);
}

}  // namespace

outcome<verify_result> verify_export(const line_source& lines, const verify_options& options) {
  const auto first = lines();
  auto header = first ? codec::decode_text<export_header>(*first)
                      : outcome<export_header>(reject(errc::invalid, "the input is empty"));
  if (!header || header->reeve_export != 1) {
    return reject(errc::invalid, "the input is no exported log of this format");
  }
  verification v(header->origin, options);
  v.keep_hashes();
  auto outside = read_heads(options.heads_file);
  if (!outside) return outside.error();
  for (const auto& head : *outside) v.add_head(head);
  std::int64_t seen = 0;
  bool ended = false;
  while (auto line = lines()) {
    if (ended || !take_line(v, *line, seen, ended)) break;
  }
  auto result = v.finish();
  if (result.good() && !ended) {
    result.first_bad = result.head + 1;
    result.what = "the export was cut off";
  }
  return result;
}

}  // namespace reeve::persistence
