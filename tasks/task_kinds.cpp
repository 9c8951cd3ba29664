#include "tasks/task_kinds.hpp"

#include "tasks/container/container_attempt.hpp"
#include "tasks/gpu/gpu_attempt.hpp"
#include "tasks/map/map_attempt.hpp"
#include "tasks/triage/triage_attempt.hpp"

#include <type_traits>
#include <utility>
#include <variant>

namespace reeve::tasks {
namespace {

struct carried_out {
  bool takes_place = false;
  std::unique_ptr<task_kind> (*open)(const kind_surroundings&) = nullptr;
};

/// How a kind is carried out. One without a line here does not compile.
template <class Params>
constexpr carried_out row_of();

template <>
constexpr carried_out row_of<domain::log_triage_params>() {
  return {.open = open_triage};
}
template <>
constexpr carried_out row_of<domain::gpu_report_params>() {
  return {.open = open_gpu_report};
}
template <>
constexpr carried_out row_of<domain::service_map_params>() {
  return {.open = open_service_map};
}
template <>
constexpr carried_out row_of<domain::container_params>() {
  return {.takes_place = true, .open = open_container};
}

template <std::size_t... I>
std::vector<task_kind_row> all_rows(std::index_sequence<I...>) {
  const auto row = []<class Params>(std::type_identity<Params>) {
    constexpr auto how = row_of<Params>();
    return task_kind_row{Params::kind, Params::alias, how.takes_place, how.open};
  };
  return {row(std::type_identity<std::variant_alternative_t<I, domain::task_params>>{})...};
}

}  // namespace

const std::vector<task_kind_row>& task_kind_rows() {
  static const auto rows =
      all_rows(std::make_index_sequence<std::variant_size_v<domain::task_params>>{});
  return rows;
}

task_kinds::task_kinds(const kind_surroundings& around) {
  for (const auto& row : task_kind_rows()) {
    open_.push_back(row.open == nullptr ? nullptr : row.open(around));
  }
}

std::unique_ptr<attempt_work> task_kinds::make_attempt(const domain::task_params& of,
                                                       attempt_host& host) const {
  const auto& kind = open_[of.index()];
  return kind ? kind->make_attempt(host) : nullptr;
}

bool task_kinds::takes_place(const domain::task_params& of) const {
  return task_kind_rows()[of.index()].takes_place;
}

}  // namespace reeve::tasks
