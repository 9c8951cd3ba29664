#pragma once
// The values of secrets over memory, with the promises of the real store; upstreams of language
// models as a test says; and an answer, taken apart.

#include "api/dispatch.hpp"
#include "api/routes/common.hpp"
#include "api/services.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace routes_fixture {

using namespace reeve;

class memory_values {
 public:
  void serve(api::services& s) {
    s.keep_secret = [this](const uuid& tenant, const std::string& name, const uuid& value,
                           const std::shared_ptr<const secret_text>& text,
                           const reply_slot<digest>& slot) {
      if (trouble) return slot.answer(*trouble);
      const auto plain = std::string(text->view());
      held[value] = plain;
      slot.answer(sha256("a key" + to_string(tenant) + name + "\n" + plain));
    };
    s.destroy_secrets = [this](const uuid&, const std::vector<uuid>& values,
                               const reply_slot<done>& slot) {
      if (trouble) return slot.answer(*trouble);
      for (const auto& id : values) held.erase(id);
      slot.answer(done{});
    };
  }
  /// Sorted.
  std::vector<std::string> plain() const {
    std::vector<std::string> all;
    for (const auto& [id, text] : held) all.push_back(text);
    std::sort(all.begin(), all.end());
    return all;
  }

  std::map<uuid, std::string> held;
  std::optional<rejection> trouble;
};

struct told_upstreams {
  std::vector<domain::llm_upstream_view> upstreams;
  api::llm_places places;
  adapters::call_upstream_fn call_upstream;
  bool may_record = true;
  api::listener from = api::listener::open;  // where requests come in, and what token is a job's
  std::function<std::optional<api::caller>(std::string_view)> job_of;

  void serve_upstreams(api::services& s) {
    s.upstreams = [this] { return upstreams; };
    s.places = &places;
    s.may_record = [this] { return may_record; };
    s.call_upstream = [this](auto what, auto stopper, auto slot) {
      call_upstream(std::move(what), std::move(stopper), std::move(slot));
    };
  }
};

/// An answer, taken apart.
struct answer {
  int status = 0;
  std::string body, content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<api::body_stream> stream;

  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
  /// The text at a path of members ("jobs/0/id"): strings bare, the rest as JSON; "" if not there.
  std::string at(std::string_view path) const {
    const auto doc = codec::parse_strict(body);
    if (!doc) return {};
    auto node = doc->root();
    while (!path.empty()) {
      const auto key = path.substr(0, path.find('/'));
      path.remove_prefix(std::min(key.size() + 1, path.size()));
      if (node.is_array()) {
        const auto i = api::parse_number(key);
        if (!i || static_cast<std::size_t>(*i) >= node.size()) return {};
        node = node.at(static_cast<std::size_t>(*i));
      } else {
        const auto next = node.is_object() ? node.find(key) : std::nullopt;
        if (!next) return {};
        node = *next;
      }
    }
    return node.is_string() ? std::string(node.as_string()) : node.text();
  }
  /// Everything that a stream of known length gives.
  std::string drained() const {
    std::string all = body;
    for (bool more = stream != nullptr; more;) {
      more = false;
      stream->next(reply_slot<std::string>([&](outcome<std::string> chunk) {
        if (!chunk || chunk->empty()) return;
        all += *chunk;
        more = true;
      }));
    }
    return all;
  }
};

}  // namespace routes_fixture
