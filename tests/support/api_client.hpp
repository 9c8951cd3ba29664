#pragma once
// Calls of the API with a token, each on a connection of its own.

#include "tests/support/http.hpp"

#include <string>

namespace support {

class api_client {
 public:
  /// Without a token the calls are anonymous.
  explicit api_client(endpoint to, std::string token = {})
      : to_(std::move(to)), token_(std::move(token)) {}

  http_response get(const std::string& target, header_list more = {}) const;
  http_response post(const std::string& target, const nlohmann::json& body,
                     header_list more = {}) const;
  http_response put(const std::string& target, const nlohmann::json& body,
                    header_list more = {}) const;
  http_response patch(const std::string& target, const nlohmann::json& body,
                      header_list more = {}) const;
  http_response remove(const std::string& target, header_list more = {}) const;
  /// Adds Authorization, and Content-Type when there is a body, unless they are given.
  http_response call(http_request request) const;
  /// A stream of events, with Last-Event-ID when `after` is not empty.
  sse_reader events(const std::string& target, const std::string& after = {}) const;

  /// The same server with another token; empty: anonymous.
  api_client as(std::string token) const { return api_client(to_, std::move(token)); }
  const endpoint& to() const { return to_; }
  const std::string& token() const { return token_; }

 private:
  http_response with_body(std::string method, const std::string& target, const nlohmann::json& body,
                          header_list more) const;

  endpoint to_;
  std::string token_;
};

}  // namespace support
