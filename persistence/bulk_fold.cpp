#include "persistence/bulk_fold.hpp"

#include "base/named_thread.hpp"
#include "persistence/log_reader.hpp"
#include "persistence/read_ahead.hpp"

#include <algorithm>
#include <utility>

namespace reeve::persistence {
namespace {

constexpr std::size_t flush_every = 8'192;  // events; a run's events then make one row together

}  // namespace

bulk_fold::bulk_fold(std::string url, pqxx::connection& into, std::vector<const projection*> list,
                     const std::vector<replay_table>& tables)
    : url_(std::move(url)), connection_(into), rows_(tables) {
  for (const auto* one : projections()) {
    const auto found = std::find(list.begin(), list.end(), one);
    places_.push_back(found == list.end() ? -1 : static_cast<int>(found - list.begin()));
  }
}

outcome<done> bulk_fold::apply(const domain::event_record& event) {
  if (auto ok = fold_.apply(event); !ok) return ok;
  on_event(event);
  position_ = event.position;
  ++events_;
  return done{};
}

void bulk_fold::flush(const std::function<bool(const projection&)>& keeps) {
  row_sink sink;
  fold_.flush(sink);
  take(sink, keeps);
}

void bulk_fold::take(const row_sink& sink, const std::function<bool(const projection&)>& keeps) {
  for (const auto& row : sink) {
    const int place = places_[index_of(*row.of)];
    if (place < 0 || (keeps && !keeps(*row.of))) continue;
    rows_.add(static_cast<std::size_t>(place), row.cells);
  }
  on_flush(rows_);
}

/// Waits for what is written and throws if that has failed; the connection is then ours again.
void bulk_fold::await_written() {
  if (writing_.valid()) writing_.get();
}

/// Writes in the background: PostgreSQL takes rows in while the next ones are made.
void bulk_fold::spill() {
  await_written();
  rows_.set_aside();
  writing_ = named_async("fold-write", [this] {
    pqxx::work tx(connection_);
    rows_.write(tx);
    tx.commit();
  });
}

outcome<done> bulk_fold::fold_to(domain::position until) {
  if (until <= position_) return done{};
  log_range range;
  range.after = position_;
  range.until = until;
  range.sources = sources;
  range.is_for_fold = true;
  auto reader = log_reader::open(url_, range);
  if (!reader) return reader.error();
  read_ahead pages(std::move(*reader), until);
  read_ahead::page page;
  std::size_t pending = 0;
  for (;;) {
    if (stop != nullptr && stop->load()) return reject(errc::unavailable, "it was stopped");
    const auto more = pages.next(page);
    if (!more) return more.error();
    if (!*more) break;
    for (const auto& e : page) {
      if (auto ok = apply(e); !ok) return ok;
    }
    pending += page.size();
    if (pending < flush_every) continue;
    pending = 0;
    row_sink sink;
    fold_.flush_settled(sink);
    take(sink);
    if (rows_.is_full()) spill();
  }
  flush();
  spill();
  await_written();
  position_ = until;  // what lies behind the last one is of other streams
  return done{};
}

}  // namespace reeve::persistence
