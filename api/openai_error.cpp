#include "api/openai_error.hpp"

#include "codec/json_writer.hpp"

#include <memory>
#include <string>
#include <utility>

namespace reeve::api {
namespace {

std::string_view type_of(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 429:
      return "rate_limit_error";
    default:
      return status < 500 ? "invalid_request_error" : "server_error";
  }
}

std::shared_ptr<const std::string> body_of(int status, std::string_view code,
                                           std::string_view message) {
  codec::json_writer out;
  out.begin_object().key("error").begin_object();
  out.key("message").value(message);
  out.key("type").value(code == "insufficient_quota" ? code : type_of(status));
  out.key("param").null();
  out.key("code").value(code);
  out.end_object().end_object();
  return std::make_shared<const std::string>(out.take());
}

}  // namespace

response openai_error(int status, std::string_view code, std::string_view message, int wait_s) {
  response made;
  made.status = status;
  made.body = body_of(status, code, message);
  if (status == 429 || status == 503) {
    made.headers.emplace_back("Retry-After", std::to_string(wait_s));
  }
  return made;
}

response openai_words(response answer) {
  if (!answer.refused) return answer;
  answer.body = body_of(answer.status, answer.refused->code, answer.refused->text);
  answer.content_type = "application/json";
  answer.refused.reset();
  return answer;
}

bool is_openai_path(std::string_view target) {
  constexpr std::string_view root = "/llm/v1";
  if (!target.starts_with(root)) return false;
  target.remove_prefix(root.size());
  return target.empty() || target.front() == '/' || target.front() == '?';
}

bool asks_openai_path(std::string_view text) {
  const auto line = text.substr(0, text.find_first_of("\r\n"));
  const auto before = line.find(' ');
  if (before == line.npos) return false;
  const auto target = line.substr(before + 1);
  return is_openai_path(target.substr(0, target.find(' ')));
}

std::string_view openai_error_schema() {
  return R"({"type":"object","required":["error"],"properties":{"error":{"type":"object",)"
         R"("required":["message","type","param","code"],"properties":{)"
         R"("message":{"type":"string"},"type":{"type":"string"},)"
         R"("param":{"type":["string","null"]},"code":{"type":"string"}}}}})";
}

}  // namespace reeve::api
