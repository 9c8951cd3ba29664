#include "persistence/projection.hpp"

#include "persistence/projections_port.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace reeve::persistence {

namespace {

template <class... States>
projection_list all_of(domain::type_list<States...>) {
  projection_list all;
  for (const auto& its : {projections_of(std::type_identity<happened<States>>{})...}) {
    all.insert(all.end(), its.begin(), its.end());
  }
  return all;
}

}  // namespace

std::span<const projection* const> projections() {
  static const auto all = all_of(domain::aggregates{});
  return all;
}

const projection& projection_named(std::string_view name) {
  for (const auto* one : projections()) {
    if (one->name == name) return *one;
  }
  throw std::logic_error("there is no projection " + std::string(name));
}

std::size_t index_of(const projection& of) {
  const auto all = projections();
  return static_cast<std::size_t>(std::find(all.begin(), all.end(), &of) - all.begin());
}

int column_index(const projection& of, std::string_view name) {
  for (std::size_t i = 0; i < of.columns.size(); ++i) {
    if (of.columns[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

std::string columns_of(const projection& of) {
  std::string names;
  for (const auto& column : of.columns) {
    if (!names.empty()) names += ", ";
    names += column.name;
  }
  return names;
}

std::string sought_columns_of(const projection& of) {
  std::string names;
  for (const auto& c : of.columns) {
    const bool is_filter =
        std::find(of.filters.begin(), of.filters.end(), c.name) != of.filters.end();
    if (!c.is_key && !is_filter && c.type == "text") continue;
    names += (names.empty() ? "" : ", ") + std::string(c.name);
  }
  return names;
}

std::vector<std::string_view> sources_of(const std::vector<const projection*>& list) {
  std::vector<std::string_view> sources;
  for (const auto* one : list) {
    if (std::find(sources.begin(), sources.end(), one->source) != sources.end()) continue;
    sources.push_back(one->source);
  }
  return sources;
}

bool is_made_of(const projection& of, std::string_view stream) {
  return stream.size() > of.source.size() && stream.starts_with(of.source) &&
         stream[of.source.size()] == '-';
}

std::string table_of(const projection& of) {
  return "reeve_read." + std::string(of.name);
}

}  // namespace reeve::persistence
