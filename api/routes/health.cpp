#include "api/routes/health.hpp"

#include "base/metrics.hpp"
#include "codec/json_writer.hpp"

#include <algorithm>
#include <utility>

namespace reeve::api {
namespace {

constexpr const char* live_schema =
    R"({"type":"object","required":["status"],"properties":{"status":{"const":"alive"}}})";
constexpr const char* ready_schema =
    R"({"type":"object","required":["status"],"properties":{"status":{"const":"ready"},)"
    R"("degraded":{"type":"array","items":{"type":"string"}},)"
    R"("checks":{"type":"array","items":{"type":"object","required":["name","ok"],)"
    R"("properties":{"name":{"type":"string"},"ok":{"type":"boolean"},)"
    R"("note":{"type":"string"}}}}}})";

response json(std::string text) {
  response made;
  made.body = std::make_shared<const std::string>(std::move(text));
  return made;
}

std::string failed_names(const std::vector<check>& checks) {
  std::string names;
  for (const check& one : checks) {
    if (one.ok) continue;
    names.append(names.empty() ? "not ready: " : ", ").append(one.name);
    if (!one.note.empty()) names.append(" (").append(one.note).append(")");
  }
  return names;
}

std::string ready_body(const std::vector<check>& checks, bool verbose) {
  codec::json_writer out;
  out.begin_object().key("status").value("ready");
  const auto is_degraded = [](const check& one) { return one.is_degraded; };
  if (std::any_of(checks.begin(), checks.end(), is_degraded)) {
    out.key("degraded").begin_array();
    for (const check& one : checks) {
      if (one.is_degraded) out.value(one.name + ": " + one.note);
    }
    out.end_array();
  }
  if (verbose) {
    out.key("checks").begin_array();
    for (const check& one : checks) {
      out.begin_object().key("name").value(one.name).key("ok").value(one.ok && !one.is_degraded);
      if (!one.note.empty()) out.key("note").value(one.note);
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
  return out.take();
}

route live_route() {
  route made;
  made.pattern = "/livez";
  made.summary = "Whether the process is alive";
  made.needs = access::anonymous;
  made.response_schema = live_schema;
  const auto body = std::make_shared<const std::string>(R"({"status":"alive"})");
  made.handle = [body](request, const responder& slot) {
    response answer;
    answer.body = body;
    slot.answer(std::move(answer));
  };
  return made;
}

route ready_route(std::function<std::vector<check>()> checks) {
  route made;
  made.pattern = "/readyz";
  made.summary = "Whether the server can do its work; 503 names what is missing";
  made.needs = access::anonymous;
  made.response_schema = ready_schema;
  made.query_names = {"verbose"};
  made.statuses = {200, 503};
  made.handle = [checks = std::move(checks)](const request& asked, const responder& slot) {
    const std::vector<check> now = checks();
    std::string failed = failed_names(now);
    if (!failed.empty()) return slot.answer(reject(errc::unavailable, std::move(failed)));
    slot.answer(json(ready_body(now, asked.query_value("verbose").has_value())));
  };
  return made;
}

route metrics_route() {
  route made;
  made.pattern = "/metrics";
  made.summary = "What the process counts, of every tenant, in the Prometheus text format";
  made.needs = access::server;
  made.handle = [](const request&, const responder& slot) {
    response answer = json(metrics_text());
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    slot.answer(std::move(answer));
  };
  return made;
}

}  // namespace

std::vector<route> health_routes(std::function<std::vector<check>()> checks) {
  std::vector<route> made;
  made.push_back(live_route());
  made.push_back(ready_route(std::move(checks)));
  made.push_back(metrics_route());
  for (route& one : made) {
    one.always = true;
    one.has_etag = false;
  }
  return made;
}

}  // namespace reeve::api
