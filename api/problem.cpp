#include "api/problem.hpp"

#include "codec/json_writer.hpp"

#include <utility>

namespace reeve::api {
namespace {

// RFC 9110 section 15 and its registry; the most frequent ones first.
constexpr std::pair<int, std::string_view> reasons[] = {{200, "OK"},
                                                        {201, "Created"},
                                                        {304, "Not Modified"},
                                                        {202, "Accepted"},
                                                        {204, "No Content"},
                                                        {404, "Not Found"},
                                                        {422, "Unprocessable Content"},
                                                        {409, "Conflict"},
                                                        {400, "Bad Request"},
                                                        {401, "Unauthorized"},
                                                        {403, "Forbidden"},
                                                        {405, "Method Not Allowed"},
                                                        {406, "Not Acceptable"},
                                                        {408, "Request Timeout"},
                                                        {410, "Gone"},
                                                        {412, "Precondition Failed"},
                                                        {413, "Content Too Large"},
                                                        {414, "URI Too Long"},
                                                        {415, "Unsupported Media Type"},
                                                        {416, "Range Not Satisfiable"},
                                                        {417, "Expectation Failed"},
                                                        {429, "Too Many Requests"},
                                                        {431, "Request Header Fields Too Large"},
                                                        {500, "Internal Server Error"},
                                                        {501, "Not Implemented"},
                                                        {502, "Bad Gateway"},
                                                        {503, "Service Unavailable"},
                                                        {504, "Gateway Timeout"},
                                                        {206, "Partial Content"},
                                                        {302, "Found"},
                                                        {303, "See Other"},
                                                        {307, "Temporary Redirect"},
                                                        {308, "Permanent Redirect"}};

struct parts {
  int status = 500;
  std::string_view code, title, detail, field, request_id;
  int wait_s = retry_after_s;
};

std::string render(const parts& it) {
  codec::json_writer out;
  out.begin_object();
  out.key("type").value(std::string("urn:reeve:error:").append(it.code));
  out.key("title").value(it.title);
  out.key("status").value(it.status);
  if (!it.detail.empty()) out.key("detail").value(it.detail);
  out.key("code").value(it.code);
  out.key("instance").value(std::string("urn:uuid:").append(it.request_id));
  out.key("request_id").value(it.request_id);
  if (!it.field.empty()) {
    out.key("errors").begin_array().begin_object();
    out.key("pointer").value(it.field);
    out.key("detail").value(it.detail.empty() ? it.title : it.detail);
    out.end_object().end_array();
  }
  out.end_object();
  return out.take();
}

response answer(const parts& it) {
  response made;
  made.status = it.status;
  made.content_type = "application/problem+json";
  made.body = std::make_shared<const std::string>(render(it));
  made.refused =
      refusal{std::string(it.code), std::string(it.detail.empty() ? it.title : it.detail)};
  if (it.status == 429 || it.status == 503 || it.code == "in_progress") {
    made.headers.emplace_back("Retry-After", std::to_string(it.wait_s));
  }
  if (it.status == 401) made.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"reeve\"");
  return made;
}

}  // namespace

response problem(const rejection& why, std::string_view request_id, int wait_s) {
  const bool inside = why.code == errc::internal;
  return answer({status_of(why.code), name_of(why.code), title_of(why.code),
                 inside ? std::string_view() : std::string_view(why.detail),
                 inside ? std::string_view() : std::string_view(why.field), request_id, wait_s});
}

response problem_of_status(int status, std::string_view code, std::string_view title,
                           std::string_view field, std::string_view request_id) {
  return answer({status, code, title, {}, field, request_id});
}

std::string_view problem_schema() {
  return R"({"type":"object","required":["type","title","status","code","instance","request_id"],)"
         R"("properties":{"type":{"type":"string","format":"uri"},"title":{"type":"string"},)"
         R"("status":{"type":"integer","minimum":400,"maximum":599},"detail":{"type":"string"},)"
         R"("code":{"type":"string"},"instance":{"type":"string","format":"uri"},)"
         R"("request_id":{"type":"string","format":"uuid"},"errors":{"type":"array","items":)"
         R"({"type":"object","required":["pointer","detail"],"properties":{)"
         R"("pointer":{"type":"string"},"detail":{"type":"string"}}}}}})";
}

std::string_view reason_of(int status) {
  for (const auto& [number, reason] : reasons) {
    if (number == status) return reason;
  }
  return "Unknown";
}

}  // namespace reeve::api
