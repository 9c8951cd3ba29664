// ACC4: of a request that carries a secret nothing stays in memory, whatever becomes of it.

#include "codec/secret_json.hpp"
#include "tests/support/own_memory.hpp"
#include "tests/unit/api/gateway_fixture.hpp"

#include <gtest/gtest.h>

using namespace gateway_fixture;

namespace {

/// PUT /secret, at most 2,000 bytes, for an admin: refused with the code, or kept as plain text.
std::vector<route> secret_routes(std::optional<errc> code, std::string* kept = nullptr) {
  auto made = basic_routes();
  made.push_back(simple(
      method::put, "/secret",
      [code, kept](const request& asked, const responder& slot) {
        const auto value = codec::read_secret(asked.body, "value");
        if (!value) return slot.answer(value.error());
        if (kept != nullptr) *kept = value->view();
        if (code) return slot.answer(reject(*code, "no"));
        slot.answer(text_response("kept"));
      },
      api::access::admin));
  made.back().max_body_bytes = 2000;
  return made;
}

/// Sends a request whose body has the marked text; what was sent is wiped. Gives the status.
struct sender {
  int put(gateway& at, const std::string& token, const std::string& before = R"({"value":")",
          const std::string& behind = R"("})") const {
    const auto size = before.size() + 32 + behind.size();
    return send(at, token, "Content-Length: " + std::to_string(size) + "\r\n\r\n" + before, behind);
  }
  /// `head_end`: from the fields of the body to the marked text. Without anything behind that the
  /// client goes at once.
  int send(gateway& at, const std::string& token, const std::string& head_end,
           const std::string& behind) const {
    std::string text;
    text.reserve(16 << 10);
    text += "PUT /secret HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    text += "Authorization: Bearer " + token + "\r\n" + head_end;
    marked.append_to(text);
    text += behind;
    int status = 0;
    {
      raw_client client(at.port());
      client.send(text);
      wipe(text);
      if (!behind.empty()) status = client.read_answer().status;
    }
    EXPECT_TRUE(eventually([&] { return at.server().connections() == 0; }));
    return status;
  }
  bool is_gone() const {
    return eventually([this] { return marked.count() == 0; });
  }
  support::marked_text marked;
};

}  // namespace

TEST(ACC4_secrets_of_requests, would_be_found_if_they_stayed) {
  const sender it;
  EXPECT_EQ(it.marked.count(), 0);
  std::string kept;
  gateway at(secret_routes(std::nullopt, &kept));
  EXPECT_EQ(it.put(at, "admin"), 200);
  EXPECT_GE(it.marked.count(), 1);
  wipe(kept);
  EXPECT_TRUE(it.is_gone());
}

TEST(ACC4_secrets_of_requests, are_gone_when_they_are_refused_or_taken) {
  for (const auto code : {std::optional<errc>(), std::optional(errc::conflict),
                          std::optional(errc::unavailable), std::optional(errc::invalid)}) {
    const sender it;
    gateway at(secret_routes(code));
    EXPECT_EQ(it.put(at, "admin"), code ? status_of(*code) : 200);
    EXPECT_TRUE(it.is_gone()) << "a handler's";
    EXPECT_EQ(it.put(at, "operator"), 403);
    EXPECT_TRUE(it.is_gone()) << "one that was not read";
    EXPECT_EQ(it.put(at, "nobody"), 401);
    EXPECT_EQ(it.put(at, "admin", R"({"valeu":")"), 422);
    EXPECT_EQ(it.put(at, "admin", R"({"value":")", R"(","x":1})"), 422);
    EXPECT_EQ(it.put(at, "admin", R"({"value":["x)", R"("]})"), 422);
    EXPECT_TRUE(it.is_gone()) << "of another form";
    EXPECT_EQ(it.put(at, "admin", R"({"value": "\u00e4)", R"(\n"})"),
              code ? status_of(*code) : 200);
    EXPECT_TRUE(it.is_gone()) << "with escapes and spaces";
    EXPECT_EQ(it.put(at, "admin", R"({"value":")", R"("},)"), 400);
    EXPECT_EQ(it.put(at, "admin", R"({"value":")", R"(")"), 400);
    EXPECT_EQ(it.put(at, "admin", R"({"value":")", "\x01\"}"), 400);
    EXPECT_TRUE(it.is_gone()) << "no JSON";
  }
}

TEST(ACC4_secrets_of_requests, are_gone_when_they_are_too_large_broken_off_or_in_chunks) {
  const sender it;
  gateway at(secret_routes(errc::conflict));
  const std::string rest(6000, 'y');
  EXPECT_EQ(it.put(at, "admin", R"({"value":")", rest), 413);
  EXPECT_TRUE(it.is_gone());
  const std::string chunked = "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(it.send(at, "admin", chunked + "7d0\r\n{\"value\":\"", rest), 400)
      << "the second chunk has no size";
  EXPECT_TRUE(it.is_gone());
  // It grows while it comes.
  std::string chunks = "\r\n";
  for (int i = 0; i < 40; ++i) chunks += "10\r\n0123456789abcdef\r\n";
  EXPECT_EQ(it.send(at, "admin", chunked + "2a\r\n{\"value\":\"", chunks + "2\r\n\"}\r\n0\r\n\r\n"),
            409);
  EXPECT_TRUE(it.is_gone());
  EXPECT_EQ(it.send(at, "admin", "Content-Length: 1000\r\n\r\n{\"value\":\"", ""), 0)
      << "the client goes half-way";
  EXPECT_TRUE(it.is_gone());
}
