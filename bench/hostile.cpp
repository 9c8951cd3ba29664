// hostile: what a GET and a POST wait for while ten jobs on a real engine print text that redaction
// takes longest for, against a server that does nothing else. Jobs that print as much of plain log
// lines are told beside it: what they cost is the engine's and the machine's, not the text's.

#include "bench/http_load.hpp"
#include "bench/server_process.hpp"
#include "bench/support.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace reeve::bench {
namespace {

using nlohmann::json;

constexpr const char* image = "localhost:1/box:1";
constexpr int jobs = 10;
constexpr int pause_us = 5'000;

struct waits {
  std::vector<double> gets, posts;  // microseconds
};

double timed_us(http_client& client, const std::string& request, http_answer& answer) {
  const auto begin = mono_us();
  client.send(request);
  for (;;) {
    if (auto got = client.receive()) {
      answer = std::move(*got);
      return static_cast<double>(mono_us() - begin);
    }
  }
}

/// One client that reads a run and makes a directive, in turns.
class prober {
 public:
  explicit prober(const server_process& server) : server_(server), client_(server.port()) {}

  /// The status of the run, as its GET told it.
  std::string probe(const std::string& run, waits& into) {
    http_answer answer;
    into.gets.push_back(timed_us(client_, server_.request("GET /api/runs/" + run), answer));
    if (answer.status != 200) give_up("the run is not answered: " + answer.body);
    auto status = json::parse(answer.body).at("status").get<std::string>();
    const json directive = {{"name", "d" + std::to_string(++made_)}, {"tasks", {"log_triage"}}};
    into.posts.push_back(
        timed_us(client_, server_.request("POST /api/directives", directive.dump()), answer));
    if (answer.status != 201) give_up("the directive is refused: " + answer.body);
    ::usleep(pause_us);
    return status;
  }

 private:
  const server_process& server_;
  http_client client_;
  int made_ = 0;
};

/// Jobs that print about 1.4 MB each: more than is kept of them.
std::string launch(const server_process& server, const std::vector<std::string>& words,
                   int how_many) {
  json tasks = json::array();
  for (int i = 0; i < how_many; ++i) {
    const auto& word = words[static_cast<std::size_t>(i) % words.size()];
    const std::string script = "s='" + word +
                               "'; while [ ${#s} -lt 65536 ]; do s=\"$s$s\"; done; i=0; "
                               "while [ $i -lt 16 ]; do echo \"$s\"; i=$((i+1)); done";
    tasks.push_back(
        {{"kind", "container"},
         {"name", "t" + std::to_string(i)},
         {"params", {{"image", image}, {"memory_mb", 32}, {"command", {"sh", "-c", script}}}}});
  }
  const json body = {
      {"directive", {{"name", "hostile"}, {"tasks", tasks}, {"limits", {{"max_parallel", jobs}}}}}};
  const auto answer = ask(server.port(), server.request("POST /api/runs/launch", body.dump()));
  if (answer.status != 201) give_up("the launch is refused: " + answer.body);
  return json::parse(answer.body).at("id").get<std::string>();
}

void until_over(prober& client, const std::string& run, waits& into) {
  for (;;) {
    const auto status = client.probe(run, into);
    if (status == "success") return;
    if (status != "pending" && status != "running") give_up("the run ended as " + status);
  }
}

/// Repeated by each job; the first is the input that once took 12 s of processor time.
const std::vector<std::string> worst = {
    "token_type=", "\"password\":[\"", "eyJhbGciOiJ.", "--env A=", "https://a:b@",
    "-----BEGIN ", "Bearer Bearer ",   "secret: {",    "AKIA",     "Pwd=;"};
const std::vector<std::string> plain = {
    "2026-01-02T03:04:05.678Z INFO request 4711 of client 17 served in 23 ms\n"};

double p99(const std::vector<double>& values) {
  return quantile(values, 0.99);
}

int run(const settings& s) {
  if (s.engine.empty()) give_up("there is no container engine");
  const server_process server(s, "hostile", "unix://" + s.engine);
  const auto allowed = ask(server.port(), server.request("POST /api/allowlists/images",
                                                         json{{"reference", image}}.dump()));
  if (allowed.status != 201) give_up("the image is not allowed: " + allowed.body);
  prober client(server);
  waits idle, calm, hostile, ignored;
  const auto first = launch(server, plain, 1);
  until_over(client, first, ignored);
  const int rounds = s.quick ? 1 : 5;
  for (int round = 0; round < rounds; ++round) {
    ::sleep(2);  // what is removed and prepared after the ends
    for (int i = 0; i < (s.quick ? 100 : 400); ++i) client.probe(first, idle);
    until_over(client, launch(server, plain, jobs), calm);
    ::sleep(2);
    until_over(client, launch(server, worst, jobs), hostile);
    std::fprintf(stderr,
                 "round %d: p99 of GET and POST: idle %.1f, %.1f ms; plain text %.1f, %.1f; "
                 "worst text %.1f, %.1f\n",
                 round + 1, p99(idle.gets) / 1000, p99(idle.posts) / 1000, p99(calm.gets) / 1000,
                 p99(calm.posts) / 1000, p99(hostile.gets) / 1000, p99(hostile.posts) / 1000);
  }
  const double get = p99(hostile.gets) / p99(idle.gets);
  const double post = p99(hostile.posts) / p99(idle.posts);
  report line("hostile", hostile.gets.size(), std::max(get, post), "times idle",
              std::max(p99(calm.gets) / p99(idle.gets), p99(calm.posts) / p99(idle.posts)),
              std::max(get, post));
  line.at_most("get_p99", get, 3).at_most("post_p99", post, 3);
  line.add("idle_get_ms", p99(idle.gets) / 1000).add("idle_post_ms", p99(idle.posts) / 1000);
  line.add("plain_get_ms", p99(calm.gets) / 1000).add("plain_post_ms", p99(calm.posts) / 1000);
  line.add("get_ms", p99(hostile.gets) / 1000).add("post_ms", p99(hostile.posts) / 1000);
  line.print();
  return 0;
}

}  // namespace
}  // namespace reeve::bench

int main(int argc, char** argv) {
  return reeve::bench::run(reeve::bench::read_settings(argc, argv));
}
