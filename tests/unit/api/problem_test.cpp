#include "api/problem.hpp"

#include <gtest/gtest.h>

using namespace reeve;
using namespace reeve::api;

namespace {

constexpr const char* id = "01a1fc90-9009-72d4-b664-9b3784d74738";

std::string header_of(const response& made, std::string_view wanted) {
  for (const auto& [name, value] : made.headers) {
    if (name == wanted) return value;
  }
  return {};
}

}  // namespace

TEST(GW2_problem, is_an_rfc_9457_document_that_names_the_field) {
  const response made = problem(reject(errc::invalid, "must be a name", "/tasks/0/kind"), id);
  EXPECT_EQ(made.status, 422);
  EXPECT_EQ(made.content_type, "application/problem+json");
  EXPECT_EQ(*made.body,
            R"({"type":"urn:reeve:error:invalid","title":"A field is invalid.","status":422,)"
            R"("detail":"must be a name","code":"invalid",)"
            R"("instance":"urn:uuid:01a1fc90-9009-72d4-b664-9b3784d74738",)"
            R"("request_id":"01a1fc90-9009-72d4-b664-9b3784d74738",)"
            R"("errors":[{"pointer":"/tasks/0/kind","detail":"must be a name"}]})");
}

TEST(P24_problem, says_nothing_of_what_is_inside) {
  const response made = problem(reject(errc::internal, "SELECT 1 FROM /var/x", "/a"), id);
  EXPECT_EQ(made.status, 500);
  EXPECT_EQ(made.body->find("SELECT"), std::string::npos);
  EXPECT_EQ(made.body->find("errors"), std::string::npos);
  EXPECT_NE(made.body->find(id), std::string::npos);
}

TEST(GW3_problem, says_when_to_come_back_and_how_to_authenticate) {
  for (const errc code : {errc::overloaded, errc::unavailable, errc::rate_limited}) {
    EXPECT_EQ(header_of(problem(reject(code, ""), id), "Retry-After"), "1");
  }
  EXPECT_EQ(header_of(problem(reject(errc::unauthenticated, ""), id), "WWW-Authenticate"),
            "Bearer realm=\"reeve\"");
  EXPECT_TRUE(problem(reject(errc::conflict, ""), id).headers.empty());
}

TEST(GW2_problem, every_status_of_the_error_list_has_a_reason) {
  for (const int status : {
#define REEVE_ERROR(code, status, title) status,
#include "base/errors.def"
#undef REEVE_ERROR
       }) {
    EXPECT_NE(reason_of(status), "Unknown") << status;
  }
  EXPECT_EQ(reason_of(299), "Unknown");
}
