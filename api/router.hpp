#pragma once
// The route table as a tree of path segments, built once. 404, 405, OPTIONS and HEAD come from
// the same rows as the handlers, so they cannot drift from them.

#include "api/route.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reeve::api {

std::string_view name_of(api::method method);
/// Nothing for methods that no route can have.
std::optional<api::method> parse_method(std::string_view name);

class router {
 public:
  /// `invalid` names the route that stands twice (parameters of any name are alike), has a
  /// malformed pattern, or has no handler.
  static outcome<router> make(std::vector<route> routes);
  ~router();
  router(router&&) noexcept;
  router& operator=(router&&) noexcept;

  const std::vector<route>& routes() const { return routes_; }

  struct match {
    /// Whether any method is served at this path.
    bool path_known = false;
    /// Index into routes(); HEAD is answered by GET's route. Nothing if the method is not served.
    std::optional<std::size_t> index;
    /// The lowest access that any method of this path needs.
    access lowest = access::server;
    /// Every method that this path serves, for Allow: "GET, HEAD, OPTIONS, POST".
    std::string_view allow;
    /// Values of the {name} segments; views into the path and the table.
    std::vector<std::pair<std::string_view, std::string_view>> params;
  };
  /// `path` as `decode_path` gives it. Literal segments win over parameters; a parameter is never
  /// empty.
  match find(std::optional<api::method> method, std::string_view path) const;

 private:
  struct node;
  router();
  std::optional<rejection> add(std::size_t index);
  static const node* descend(const node& from, std::string_view rest,
                             std::vector<std::string_view>& values);
  void finish(node& at) const;

  std::vector<route> routes_;
  std::unique_ptr<node> root_;
};

}  // namespace reeve::api
