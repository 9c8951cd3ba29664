#include "actors/tree/supervision_board.hpp"

namespace reeve::actors {

void supervision_board::set(const agent_row& row) {
  const std::lock_guard lock(mutex_);
  auto& mine = rows_[row.path];
  const bool same = mine.state == row.state && mine.incarnation == row.incarnation;
  mine.path = row.path;
  mine.state = row.state;
  mine.incarnation = row.incarnation;
  mine.restarts = row.restarts;
  if (!same) mine.since_us = row.since_us;
}

void supervision_board::set_strategy(const std::string& path, std::string_view strategy) {
  const std::lock_guard lock(mutex_);
  auto& mine = rows_[path];
  mine.path = path;
  mine.strategy = strategy;
}

void supervision_board::set_last_exit(const std::string& path, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(path);
  if (found != rows_.end()) found->second.last_exit = reason;
}

void supervision_board::forget(const std::string& path) {
  const std::lock_guard lock(mutex_);
  rows_.erase(path);
}

void supervision_board::forget_below(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto prefix = path + "/";
  auto from = rows_.lower_bound(prefix);
  auto to = from;
  while (to != rows_.end() && to->first.starts_with(prefix)) ++to;
  rows_.erase(from, to);
}

void supervision_board::count(const supervision_totals& more) {
  const std::lock_guard lock(mutex_);
  totals_.restarts += more.restarts;
  totals_.escalations += more.escalations;
  totals_.stale_answers += more.stale_answers;
}

std::string supervision_board::state_of(std::string_view path) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(path);
  return found == rows_.end() ? std::string() : found->second.state;
}

std::vector<agent_row> supervision_board::rows() const {
  const std::lock_guard lock(mutex_);
  std::vector<agent_row> all;
  all.reserve(rows_.size());
  for (const auto& [path, row] : rows_) all.push_back(row);
  return all;
}

supervision_totals supervision_board::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

}  // namespace reeve::actors
