#include "bench/mixed_logs.hpp"

#include "base/time.hpp"

#include <array>
#include <string_view>

namespace reeve::bench {
namespace {

using text = std::string_view;

constexpr std::array<text, 16> services = {
    "orders", "payments", "gateway", "search", "mailer", "users",   "stock",  "billing",
    "auth",   "reports",  "images",  "chat",   "queue",  "crawler", "router", "ledger"};
constexpr std::array<text, 8> levels = {"INFO",  "INFO", "INFO", "DEBUG",
                                        "DEBUG", "WARN", "INFO", "ERROR"};
constexpr std::array<text, 8> small_levels = {"info",  "info", "info", "debug",
                                              "debug", "warn", "info", "error"};
constexpr std::array<text, 12> verbs = {"accepted", "created", "loaded",  "sent",
                                        "removed",  "updated", "skipped", "retried",
                                        "finished", "started", "checked", "rejected"};
constexpr std::array<text, 12> things = {"order",    "invoice",     "session", "cache entry",
                                         "message",  "upload",      "payment", "worker",
                                         "snapshot", "index shard", "job",     "connection"};
constexpr std::array<text, 8> paths = {"/api/orders/",    "/api/users/",    "/static/app.",
                                       "/healthz?probe=", "/api/search?q=", "/images/",
                                       "/api/payments/",  "/login?next=/"};

/// The pieces one after another.
void put(std::string& to, std::initializer_list<text> pieces) {
  for (const auto piece : pieces) to.append(piece);
}

}  // namespace

/// xorshift64* (S. Vigna, "An experimental exploration of Marsaglia's xorshift generators").
std::uint64_t mixed_logs::random(std::uint64_t below) {
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return (state_ * 0x2545F4914F6CDD1D >> 33) % below;
}

/// "2026-11-21T04:39:59.123Z", a little later each time.
std::string mixed_logs::clock() {
  at_ms_ += static_cast<std::int64_t>(random(5));
  auto made = format_time(at_ms_ / 1000 * us_per_second).substr(0, 19);
  auto ms = std::to_string(1000 + at_ms_ % 1000).substr(1);
  return made + "." + ms + "Z";
}

std::string mixed_logs::hex(int digits) {
  std::string made;
  for (int i = 0; i < digits; ++i) made.push_back("0123456789abcdef"[random(16)]);
  return made;
}

/// "order 81723 accepted for user 42 in 17 ms": one of 24 kinds, with or without what follows.
std::string mixed_logs::message() {
  std::string made;
  const auto number = random(things.size());
  const auto thing = things[number];
  const auto verb = verbs[(number + random(2)) % verbs.size()];
  put(made, {thing, " ", std::to_string(random(1'000'000)), " ", verb});
  switch (random(4)) {
    case 0:
      put(made,
          {" for user ", std::to_string(random(5000)), " in ", std::to_string(random(900)), " ms"});
      break;
    case 1:
      put(made, {" by 10.", std::to_string(random(256)), ".", std::to_string(random(256)),
                 ".7:", std::to_string(1024 + random(60'000))});
      break;
    case 2:
      put(made, {", request ", hex(8), "-", hex(4), "-4", hex(3), "-a", hex(3), "-", hex(12)});
      break;
    default:
      break;
  }
  return made;
}

void mixed_logs::append_json(std::string& to) {
  put(to, {R"({"level":")", small_levels[random(8)], R"(","time":")", clock(), R"(","service":")",
           services[random(16)], R"(","pid":)", std::to_string(random(32'768)), R"(,"trace_id":")",
           hex(32), R"(","msg":")", message(), R"(","duration_ms":)", std::to_string(random(4000)),
           "}\n"});
}

void mixed_logs::append_docker(std::string& to) {
  put(to, {R"({"log":")", levels[random(8)], " [", services[random(16)], "] ", message(),
           R"(\n","stream":")", random(4) == 0 ? "stderr" : "stdout", R"(","time":")", clock(),
           "\"}\n"});
}

void mixed_logs::append_access(std::string& to) {
  static constexpr std::array<text, 8> statuses = {"200", "200", "200", "204",
                                                   "304", "404", "200", "502"};
  const auto at = clock();
  put(to, {"172.17.", std::to_string(random(256)), ".", std::to_string(random(256)),
           " - - [21/Nov/2026:", at.substr(11, 8), " +0000] \"GET ", paths[random(8)],
           std::to_string(random(100'000)), " HTTP/1.1\" ", statuses[random(8)], " ",
           std::to_string(random(60'000)), " \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:",
           std::to_string(100 + random(40)), ".0) Gecko/20100101 Firefox/115.0\"\n"});
}

void mixed_logs::append_syslog(std::string& to) {
  const auto at = clock();
  put(to, {"<", std::to_string(24 + random(8)), ">Nov 21 ", at.substr(11, 8), " web-",
           std::to_string(random(20)), " ", services[random(16)], "[",
           std::to_string(random(32'768)), "]: ", message(), "\n"});
}

void mixed_logs::append_application(std::string& to) {
  auto at = clock();
  if (random(3) == 0) {
    put(to, {at, " stdout F ", levels[random(8)], " ", message(), "\n"});
    return;
  }
  at[10] = ' ';
  put(to, {at.substr(0, 19), ",", at.substr(20, 3), " ", levels[random(8)], " [http-nio-8080-exec-",
           std::to_string(random(200)), "] com.example.", services[random(16)], ".Handler - ",
           message(), "\n"});
}

void mixed_logs::append_klog(std::string& to) {
  const auto at = clock();
  put(to, {std::string(1, "IIIIWE"[random(6)]), "1121 ", at.substr(11, 12), "000       1 ",
           services[random(16)], ".go:", std::to_string(random(900)), "] \"", message(),
           "\" pod=\"default/web-", hex(10), "-", hex(5), "\" err=null\n"});
}

void mixed_logs::append_logfmt(std::string& to) {
  put(to, {"time=", clock(), " level=", small_levels[random(8)], " component=",
           services[random(16)], " msg=\"", message(), "\" attempt=", std::to_string(random(5)),
           " took=", std::to_string(random(900)), "ms\n"});
}

void mixed_logs::append_trace(std::string& to) {
  const auto service = services[random(16)];
  switch (random(3)) {
    case 0:
      put(to, {clock(), " ERROR [main] ", service, ": ", message(), " failed\n",
               "java.io.IOException: connection reset by peer\n"});
      for (auto n = 4 + random(20); n > 0; --n) {
        put(to, {"\tat com.example.", service,
                 ".Client.call(Client.java:", std::to_string(random(900)), ")\n"});
      }
      put(to, {"Caused by: java.net.SocketException: broken pipe\n\t... 12 more\n"});
      return;
    case 1:
      put(to, {clock(), " ERROR ", service, " unhandled\nTraceback (most recent call last):\n"});
      for (auto n = 2 + random(8); n > 0; --n) {
        put(to, {"  File \"/app/", service, "/views.py\", line ", std::to_string(random(900)),
                 ", in handle\n    return self.next(request)\n"});
      }
      put(to, {"ValueError: invalid literal for int() with base 10: '", hex(6), "'\n"});
      return;
    default:
      put(to, {"panic: runtime error: index out of range [", std::to_string(random(9)),
               "] with length 3\n\ngoroutine ", std::to_string(random(900)), " [running]:\n"});
      for (auto n = 2 + random(6); n > 0; --n) {
        put(to, {"main.(*", service, ").Run(0xc000", hex(6), ")\n\t/src/", service,
                 "/run.go:", std::to_string(random(900)), " +0x", hex(3), "\n"});
      }
  }
}

void mixed_logs::append_secret(std::string& to) {
  switch (random(3)) {
    case 0:
      put(to,
          {clock(), " DEBUG request headers: Authorization: Bearer ", hex(40), " Accept: */*\n"});
      return;
    case 1:
      put(to, {clock(), " INFO connecting to postgres://app:", hex(12), "@db.example.com/app\n"});
      return;
    default:
      put(to, {clock(), " WARN config: db_password=", hex(16), " db_user=app\n"});
  }
}

void mixed_logs::append(std::string& to) {
  const auto kind = random(100);
  if (kind < 22) return append_json(to);
  if (kind < 34) return append_docker(to);
  if (kind < 50) return append_access(to);
  if (kind < 60) return append_syslog(to);
  if (kind < 80) return append_application(to);
  if (kind < 88) return append_klog(to);
  if (kind < 97) return append_logfmt(to);
  return kind < 99 ? append_trace(to) : append_secret(to);
}

}  // namespace reeve::bench
