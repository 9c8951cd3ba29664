#include "tests/support/api_client.hpp"

#include <algorithm>

namespace support {

namespace {

bool has(const header_list& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& field) { return same_name(field.first, name); });
}

}  // namespace

http_response api_client::call(http_request request) const {
  if (!token_.empty() && !has(request.headers, "Authorization")) {
    request.headers.emplace_back("Authorization", "Bearer " + token_);
  }
  if (request.body && !has(request.headers, "Content-Type")) {
    request.headers.emplace_back("Content-Type", "application/json");
  }
  return http_call(to_, request);
}

http_response api_client::with_body(std::string method, const std::string& target,
                                    const nlohmann::json& body, header_list more) const {
  return call({std::move(method), target, std::move(more), body.dump()});
}

http_response api_client::get(const std::string& target, header_list more) const {
  return call({"GET", target, std::move(more)});
}

http_response api_client::post(const std::string& target, const nlohmann::json& body,
                               header_list more) const {
  return with_body("POST", target, body, std::move(more));
}

http_response api_client::put(const std::string& target, const nlohmann::json& body,
                              header_list more) const {
  return with_body("PUT", target, body, std::move(more));
}

http_response api_client::patch(const std::string& target, const nlohmann::json& body,
                                header_list more) const {
  return with_body("PATCH", target, body, std::move(more));
}

http_response api_client::remove(const std::string& target, header_list more) const {
  return call({"DELETE", target, std::move(more)});
}

sse_reader api_client::events(const std::string& target, const std::string& after) const {
  http_request request{"GET", target};
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  if (!after.empty()) request.headers.emplace_back("Last-Event-ID", after);
  return {to_, std::move(request)};
}

}  // namespace support
