#pragma once
// Work of many that waits for one worker or a few: tenants take turns, and so do the jobs of each,
// so that who brings much holds up who brings little by one piece. Bounded for each tenant and in
// all: a full share is that tenant's trouble alone, and where all is full, who has the most gives
// way. Pure; not for several threads at once.

#include "base/ids.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace reeve {

/// Whose work it is.
struct work_source {
  uuid tenant;
  uuid job;
};

/// What may wait, in pieces; both at least 1.
struct turn_limits {
  std::size_t one = 64;   // of one tenant
  std::size_t all = 256;  // of all
};

/// For work that something else bounds.
inline constexpr turn_limits no_turn_limits{std::numeric_limits<std::size_t>::max(),
                                            std::numeric_limits<std::size_t>::max()};

/// Whether the piece that would be next may be taken: `pass_over` asks the next tenant instead, and
/// this one stays in front; `wait`: nothing is taken.
enum class turn_verdict { take, pass_over, wait };

template <class Work>
class turn_queue {
 public:
  explicit turn_queue(turn_limits limits) : limits_(limits) {}

  /// Behind what its job has waiting. What has no place comes back: this piece, or the last one of
  /// the tenant that has the most, if that has at least two more than this one's has.
  [[nodiscard]] std::optional<Work> push(const work_source& whose, Work work) {
    const auto own = size_of(whose.tenant);
    if (own >= limits_.one) return work;
    std::optional<Work> gives_way;
    if (size_ >= limits_.all) {
      const auto most = std::max_element(
          shares_.begin(), shares_.end(),
          [](const auto& a, const auto& b) { return a.second.size < b.second.size; });
      if (most == shares_.end() || most->second.size < own + 2) return work;
      gives_way = take_last(most);
    }
    add(whose, std::move(work));
    return gives_way;
  }

  /// The next one that `judge(tenant, work)` lets be taken, if any. A tenant's and a job's next
  /// turn is behind those of all others that wait.
  template <class Judge>
  std::optional<Work> pop(const Judge& judge) {
    for (std::size_t i = 0; i < turns_.size(); ++i) {
      const auto& share = shares_.at(turns_[i]);
      switch (judge(turns_[i], share.jobs.at(share.turns.front()).front())) {
        case turn_verdict::take:
          return take(i);
        case turn_verdict::pass_over:
          continue;
        case turn_verdict::wait:
          return std::nullopt;
      }
    }
    return std::nullopt;
  }
  std::optional<Work> pop() {
    return pop([](const uuid&, const Work&) { return turn_verdict::take; });
  }

  /// All pieces that are so; the others keep their places.
  template <class Is>
  std::vector<Work> remove_if(const Is& is) {
    std::vector<Work> removed;
    for (auto share = shares_.begin(); share != shares_.end();) {
      for (auto job = share->second.jobs.begin(); job != share->second.jobs.end();) {
        const auto before = removed.size();
        drop(job->second, is, removed);
        shrink(share->second, removed.size() - before);
        const auto at = job++;
        if (at->second.empty()) forget_job(share->second, at);
      }
      const auto at = share++;
      if (at->second.size == 0) forget(at);
    }
    return removed;
  }

  std::size_t size() const { return size_; }
  std::size_t size_of(const uuid& tenant) const {
    const auto found = shares_.find(tenant);
    return found == shares_.end() ? 0 : found->second.size;
  }
  bool empty() const { return size_ == 0; }

 private:
  using line = std::deque<Work>;
  struct share {
    std::map<uuid, line> jobs;  // none of them is empty
    std::deque<uuid> turns;     // each of the jobs once
    std::size_t size = 0;
  };
  using share_place = typename std::map<uuid, share>::iterator;
  using job_place = typename std::map<uuid, line>::iterator;

  void add(const work_source& whose, Work work) {
    auto& to = shares_[whose.tenant];
    if (to.size == 0) turns_.push_back(whose.tenant);
    auto& its = to.jobs[whose.job];
    if (its.empty()) to.turns.push_back(whose.job);
    its.push_back(std::move(work));
    ++to.size;
    ++size_;
  }

  Work take(std::size_t turn) {
    const uuid tenant = turns_[turn];
    turns_.erase(turns_.begin() + static_cast<std::ptrdiff_t>(turn));
    const auto from = shares_.find(tenant);
    auto& its = from->second;
    const uuid job = its.turns.front();
    its.turns.pop_front();
    const auto jobs_line = its.jobs.find(job);
    Work work = std::move(jobs_line->second.front());
    jobs_line->second.pop_front();
    shrink(its, 1);
    if (jobs_line->second.empty()) {
      its.jobs.erase(jobs_line);
    } else {
      its.turns.push_back(job);
    }
    if (its.size == 0) {
      shares_.erase(from);
    } else {
      turns_.push_back(tenant);
    }
    return work;
  }

  /// The end of its longest line.
  Work take_last(share_place from) {
    auto& its = from->second;
    const auto longest = std::max_element(
        its.jobs.begin(), its.jobs.end(),
        [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    Work work = std::move(longest->second.back());
    longest->second.pop_back();
    shrink(its, 1);
    if (longest->second.empty()) forget_job(its, longest);
    if (its.size == 0) forget(from);
    return work;
  }

  template <class Is>
  static void drop(line& from, const Is& is, std::vector<Work>& removed) {
    line rest;
    for (auto& work : from) {
      if (is(work)) {
        removed.push_back(std::move(work));
      } else {
        rest.push_back(std::move(work));
      }
    }
    from = std::move(rest);
  }

  void shrink(share& of, std::size_t by) {
    of.size -= by;
    size_ -= by;
  }
  static void forget_job(share& of, job_place which) {
    of.turns.erase(std::find(of.turns.begin(), of.turns.end(), which->first));
    of.jobs.erase(which);
  }
  void forget(share_place which) {
    turns_.erase(std::find(turns_.begin(), turns_.end(), which->first));
    shares_.erase(which);
  }

  const turn_limits limits_;
  std::map<uuid, share> shares_;  // none of them is empty
  std::deque<uuid> turns_;        // each of the shares once
  std::size_t size_ = 0;
};

}  // namespace reeve
