#pragma once
// The executors of all aggregates that have one.

#include "actors/executor_front.hpp"
#include "domain/aggregates.hpp"

#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace reeve::actors {

template <class List>
class fronts_of;

/// One executor for each aggregate of the list.
template <class... States>
class fronts_of<domain::type_list<States...>> {
 public:
  fronts_of(journal_port& journal, persistence::read_port& reads)
      : all_(std::make_unique<executor_front<States>>(journal, reads)...) {}

  template <class State>
  executor_front<State>& of() {
    return *std::get<std::unique_ptr<executor_front<State>>>(all_);
  }
  /// Children of the tree, named as their streams are.
  std::vector<child_spec> children() {
    return {of<States>().child(std::string(domain::aggregate_of<States>::prefix))...};
  }

 private:
  std::tuple<std::unique_ptr<executor_front<States>>...> all_;
};

using executor_fronts = fronts_of<domain::executed_aggregates>;

}  // namespace reeve::actors
