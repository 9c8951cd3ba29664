// The smallest promise: the program starts on a fresh database, says where it listens, answers,
// refuses whoever does not say who he is, and stops when it is told to.

#include "tests/support/server.hpp"

#include <gtest/gtest.h>

using support::server;

TEST(OPS1_server, is_alive_and_ready_after_its_start) {
  server reeve;
  EXPECT_EQ(reeve.anonymous().get("/livez").status, 200);
  EXPECT_EQ(reeve.anonymous().get("/readyz").status, 200);
}

TEST(OPS1_server, refuses_an_unknown_path_without_a_token) {
  server reeve;
  const auto answer = reeve.anonymous().get("/api/no-such-thing");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
  const auto problem = answer.json();
  EXPECT_EQ(problem.at("status"), 401);
  for (const char* member : {"type", "title", "instance", "request_id"}) {
    EXPECT_TRUE(problem.contains(member)) << member;
  }
}

TEST(OPS1_server, knows_the_bootstrap_token) {
  server reeve;
  EXPECT_EQ(reeve.api().get("/api/no-such-thing").status, 404);
  EXPECT_EQ(reeve.anonymous().as("wrong").get("/api/no-such-thing").status, 401);
}

TEST(P27_server, stops_with_status_0_when_told_to) {
  server reeve;
  EXPECT_EQ(reeve.stop(), 0);
}
