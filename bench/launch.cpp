// launch: runs from POST to their end, against the real server binary. On the simulated engine
// with 64 in flight, and on a real one in pairs with the plain calls that do the same work.

#include "bench/http_load.hpp"
#include "bench/server_process.hpp"
#include "bench/support.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <unordered_set>
#include <utility>

namespace reeve::bench {
namespace {

constexpr std::size_t in_flight = 64;
constexpr const char* image = "localhost:1/box:1";

const std::string& launch_body() {
  static const std::string body =
      R"({"tasks":[{"kind":"container","params":{"image":"localhost:1/box:1",)"
      R"("command":["/bin/true"]}}]})";
  return body;
}

void allow_image(const server_process& server) {
  const auto answer =
      ask(server.port(), server.request("POST /api/allowlists/images",
                                        "{\"reference\":\"" + std::string(image) + "\"}"));
  if (answer.status != 201) give_up("the image is not allowed: " + answer.body);
}

/// The ends of runs, as the server tells them over SSE. HTTP/1.0, so that there are no chunks.
class end_stream {
 public:
  explicit end_stream(const server_process& server) : fd_(connect_to(server.port())) {
    auto request = server.request("GET /api/events/stream?type=run_finished");
    request.replace(request.find("HTTP/1.1"), 8, "HTTP/1.0");
    send_all(fd_, request);
    while (text_.find("\r\n\r\n") == text_.npos) read();
    if (!text_.starts_with("HTTP/1.1 200")) give_up("no stream: " + text_);
  }
  ~end_stream() { ::close(fd_); }
  end_stream(const end_stream&) = delete;
  end_stream& operator=(const end_stream&) = delete;
  int fd() const { return fd_; }

  /// The runs that ended; waits for bytes.
  std::vector<std::string> next() {
    read();
    std::vector<std::string> ended;
    for (auto end = text_.find("\n\n"); end != text_.npos; end = text_.find("\n\n")) {
      const auto event = text_.substr(0, end);
      text_.erase(0, end + 2);
      constexpr std::string_view stream = "\"stream\":\"run-";
      const auto at = event.find(stream);
      if (at == event.npos) continue;
      if (event.find("\"success\"") == event.npos) give_up("a run did not succeed: " + event);
      ended.push_back(event.substr(at + stream.size(), 36));
    }
    return ended;
  }

 private:
  void read() {
    std::array<char, 65536> bytes;
    const auto count = ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (count <= 0) give_up("the stream of events ended");
    text_.append(bytes.data(), static_cast<std::size_t>(count));
  }
  int fd_;
  std::string text_;
};

std::string run_of(const http_answer& answer) {
  constexpr std::string_view name = "Location: /api/runs/";
  const auto at = answer.head.find(name);
  if (answer.status != 201 || at == answer.head.npos) {
    give_up("a launch was refused: " + answer.head + answer.body);
  }
  return answer.head.substr(at + name.size(), 36);
}

// ---- simulated ----------------------------------------------------------------------------------

/// Messages that went into mailboxes since the server's start.
std::int64_t messages_of(const server_process& server) {
  const auto answer = ask(server.port(), server.request("GET /metrics"));
  constexpr std::string_view name = "\nreeve_mailbox_messages_total ";
  const auto at = answer.body.find(name);
  if (at == answer.body.npos) give_up("the server counts no messages");
  return std::llround(std::strtod(answer.body.c_str() + at + name.size(), nullptr));
}

struct load_figures {
  std::int64_t finished = 0;
  double seconds = 0;
  std::vector<double> latencies_us;
  std::int64_t cpu_us = 0;
  std::int64_t messages = 0;
  double rate() const { return static_cast<double>(finished) / seconds; }
};

/// Closed loops: as many runs as `in_flight` are launched and not finished, at any time.
class launch_load {
 public:
  explicit launch_load(const server_process& server)
      : server_(server),
        request_(server.request("POST /api/runs/launch", launch_body())),
        ends_(server),
        poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    watch(ends_.fd(), in_flight);
    for (std::size_t i = 0; i < in_flight; ++i) {
      clients_.push_back({http_client(server.port()), 0, {}});
      watch(clients_[i].http.fd(), i);
    }
  }
  ~launch_load() { ::close(poll_); }
  launch_load(const launch_load&) = delete;
  launch_load& operator=(const launch_load&) = delete;

  load_figures run(double seconds) {
    load_figures out;
    const auto begin = mono_us();
    const auto cpu = cpu_us_of(server_.pid());
    const auto messages = messages_of(server_);
    end_ = begin + static_cast<std::int64_t>(seconds * 1e6);
    out_ = &out;
    open_ = 0;
    for (std::size_t i = 0; i < in_flight; ++i) launch(i);
    while (open_ > 0) step();
    out.seconds = static_cast<double>(mono_us() - begin) / 1e6;
    out.cpu_us = cpu_us_of(server_.pid()) - cpu;
    out.messages = messages_of(server_) - messages;
    return out;
  }

 private:
  struct client {
    http_client http;
    std::int64_t sent_at = 0;
    std::string run;  // empty until the answer to the launch is there
  };

  void watch(int fd, std::size_t index) const {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u64 = index;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &wanted);
  }

  void launch(std::size_t i) {
    clients_[i].run.clear();
    clients_[i].sent_at = mono_us();
    clients_[i].http.send(request_);
    ++open_;
  }

  void step() {
    std::array<epoll_event, 64> events;
    const int ready = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 30'000);
    if (ready <= 0 && errno != EINTR) give_up("runs do not end");
    for (int e = 0; e < ready; ++e) {
      const auto i = events[static_cast<std::size_t>(e)].data.u64;
      if (i == in_flight) {
        for (const auto& run : ends_.next()) ended(run);
      } else if (auto answer = clients_[i].http.receive()) {
        launched(i, run_of(*answer));
      }
    }
  }

  void launched(std::size_t i, std::string run) {
    clients_[i].run = run;
    // Its end may have been told first.
    if (early_.erase(run) > 0) return finished(i);
    waiting_.emplace(std::move(run), i);
  }

  void ended(const std::string& run) {
    const auto found = waiting_.find(run);
    if (found == waiting_.end()) {
      early_.insert(run);
      return;
    }
    const auto i = found->second;
    waiting_.erase(found);
    finished(i);
  }

  void finished(std::size_t i) {
    const auto now = mono_us();
    out_->latencies_us.push_back(static_cast<double>(now - clients_[i].sent_at));
    ++out_->finished;
    --open_;
    if (now < end_) launch(i);
  }

  const server_process& server_;
  std::string request_;
  end_stream ends_;
  int poll_;
  std::vector<client> clients_;
  std::map<std::string, std::size_t> waiting_;
  std::unordered_set<std::string> early_;
  std::int64_t end_ = 0;
  std::size_t open_ = 0;
  load_figures* out_ = nullptr;
};

// ---- real engine --------------------------------------------------------------------------------

/// One call to the engine on a connection of its own; the answer's body. HTTP/1.0: it ends where
/// the connection does.
std::string engine_call(const settings& s, const std::string& line, const std::string& body = {}) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::snprintf(to.sun_path, sizeof to.sun_path, "%s", s.engine.c_str());
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    give_up("the engine does not answer");
  }
  std::string text = line;
  text += " HTTP/1.0\r\nHost: engine\r\nContent-Type: application/json\r\nContent-Length: ";
  text += std::to_string(body.size());
  text += "\r\n\r\n";
  text += body;
  send_all(fd, text);
  std::string answer;
  std::array<char, 16384> bytes;
  for (;;) {
    const auto count = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (count <= 0) break;
    answer.append(bytes.data(), static_cast<std::size_t>(count));
  }
  ::close(fd);
  if (answer.size() < 12 || answer[9] != '2') give_up("the engine refused " + line + answer);
  const auto end = answer.find("\r\n\r\n");
  return end == answer.npos ? std::string() : answer.substr(end + 4);
}

/// What a script would do: create, start, wait, read the log. Removing it is not timed, neither
/// here nor there: a run's end is told before.
double plain_us(const settings& s) {
  const std::string spec = R"({"Image":"localhost:1/box:1","Cmd":["/bin/true"],)"
                           R"("HostConfig":{"NetworkMode":"none"}})";
  const auto begin = mono_us();
  const auto made = engine_call(s, "POST /v1.41/containers/create", spec);
  const auto id = nlohmann::json::parse(made).at("Id").get<std::string>();
  engine_call(s, "POST /v1.41/containers/" + id + "/start");
  engine_call(s, "POST /v1.41/containers/" + id + "/wait");
  engine_call(s, "GET /v1.41/containers/" + id + "/logs?stdout=1&stderr=1");
  const auto took = static_cast<double>(mono_us() - begin);
  engine_call(s, "DELETE /v1.41/containers/" + id + "?v=1");
  return took;
}

double run_us(const server_process& server, end_stream& ends) {
  const auto begin = mono_us();
  const auto run =
      run_of(ask(server.port(), server.request("POST /api/runs/launch", launch_body())));
  for (;;) {
    const auto ended = ends.next();
    if (std::find(ended.begin(), ended.end(), run) != ended.end()) break;
  }
  const auto took = static_cast<double>(mono_us() - begin);
  // What is removed and prepared after the end must not lie on the next plain call.
  ::sleep(2);
  return took;
}

void measure_real(const settings& s, report& line) {
  const server_process server(s, "real", "unix://" + s.engine);
  allow_image(server);
  end_stream ends(server);
  const int pairs = s.quick ? 6 : 60;
  std::vector<double> plain, ours, added;
  for (int i = -2; i < pairs; ++i) {
    const auto a = plain_us(s) / 1000, b = run_us(server, ends) / 1000;
    if (i < 0) continue;
    plain.push_back(a);
    ours.push_back(b);
    added.push_back(b - a);
  }
  const auto held = median_interval(added);
  line.add("real_pairs", static_cast<std::int64_t>(pairs)).add("real_plain_ms", median(plain));
  line.add("real_run_ms", median(ours)).add("real_added_ms", median(added));
  line.at_most("real_added_ms", median(added), 15);
  line.add("real_added_low_ms", held.low).add("real_added_high_ms", held.high);
}

/// Messages of a launch alone: while a tenant has all the places that it may have, what it launches
/// waits. A job that has waited for a second says so, with messages of its own: those before are
/// waited for, and there are few enough launches to be over by then.
double hops_of_launch(const server_process& server) {
  constexpr int more_than_places = 1000, launches = 50;
  constexpr std::string_view works = R"("sleep","3600")";
  auto body = launch_body();
  body.replace(body.find("\"/bin/true\""), 11, works);
  const auto request = server.request("POST /api/runs/launch", body);
  for (int i = 0; i < more_than_places; ++i) run_of(ask(server.port(), request));
  std::int64_t before = -1;
  // Until all who got a place have started, and the others have said that they wait.
  while (std::exchange(before, messages_of(server)) != before) ::usleep(500'000);
  for (int i = 0; i < launches; ++i) run_of(ask(server.port(), request));
  return static_cast<double>(messages_of(server) - before) / launches;
}

/// What the README calls the bar: there is nothing else that does the same.
constexpr double bar = 600;

int run(const settings& s) {
  load_figures total;
  std::vector<double> rates, cpu, messages;
  double hops = 0;
  std::string events_per_run;
  {
    const server_process server(s, "simulated", "simulated");
    allow_image(server);
    launch_load load(server);
    load.run(1);
    const int rounds = s.quick ? 2 : 5;
    for (int round = 0; round < rounds; ++round) {
      const auto one = load.run(s.quick ? 2 : 8);
      rates.push_back(one.rate());
      cpu.push_back(static_cast<double>(one.cpu_us) / static_cast<double>(one.finished));
      messages.push_back(static_cast<double>(one.messages) / static_cast<double>(one.finished));
      total.latencies_us.insert(total.latencies_us.end(), one.latencies_us.begin(),
                                one.latencies_us.end());
      std::fprintf(stderr, "round %d: %.0f runs/s, p50 %.1f ms, %.0f us of CPU a run\n", round + 1,
                   one.rate(), median(one.latencies_us) / 1000, cpu.back());
    }
    events_per_run = query(server.database_url(),
                           "SELECT (count(*)::numeric / count(DISTINCT stream))::numeric(9, 2)"
                           " FROM reeve.events WHERE stream LIKE 'run-%'");
  }
  {
    const server_process server(s, "busy", "simulated");
    allow_image(server);
    hops = hops_of_launch(server);
  }
  const double value = median(rates);
  report line("launch", rates.size(), value, "finished runs/s", bar, value / bar);
  line.at_least("rate", value, bar).at_most("hops", hops, 6);
  line.add("messages_per_run", median(messages));
  line.add("p50_ms", quantile(total.latencies_us, 0.5) / 1000);
  line.add("p99_ms", quantile(total.latencies_us, 0.99) / 1000);
  line.add("cpu_us_per_run", median(cpu)).add("in_flight", static_cast<std::int64_t>(in_flight));
  line.add("events_per_run", std::strtod(events_per_run.c_str(), nullptr));
  if (!s.engine.empty()) measure_real(s, line);
  line.print();
  return 0;
}

}  // namespace
}  // namespace reeve::bench

int main(int argc, char** argv) {
  return reeve::bench::run(reeve::bench::read_settings(argc, argv));
}
