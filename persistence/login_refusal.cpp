#include "persistence/login_refusal.hpp"

#include <algorithm>
#include <libpq-fe.h>
#include <memory>
#include <poll.h>
#include <string_view>

namespace reeve::persistence {
namespace {

using connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using steady = std::chrono::steady_clock;

bool waits(PostgresPollingStatusType status) {
  return status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING;
}

/// False: the time is over.
bool is_readied_by(PGconn* one, PostgresPollingStatusType wanted, steady::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady::now());
  if (left.count() <= 0) return false;
  const short events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT;
  pollfd socket{PQsocket(one), events, 0};
  return ::poll(&socket, 1, static_cast<int>(left.count())) > 0;
}

/// Of "… failed: FATAL:  28000". The severity is in the server's language, the code is not; and a
/// port that stands before another end of the message is no code.
std::string sqlstate_at_end_of(std::string_view message) {
  constexpr std::size_t length = 5;
  while (message.ends_with('\n')) message.remove_suffix(1);
  const auto gap = message.rfind(":  ");
  if (gap == message.npos || gap + 3 + length != message.size()) return {};
  const auto code = message.substr(gap + 3);
  const auto is_of_code = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
  return std::all_of(code.begin(), code.end(), is_of_code) ? std::string(code) : std::string();
}

/// The server is stopping or starting, which ends by itself.
bool is_on_its_way(const std::string& code) {
  return code == "57P01" || code == "57P02" || code == "57P03";
}

}  // namespace

std::string login_refusal(const std::string& url, std::chrono::milliseconds time) {
  const auto until = steady::now() + time;
  const connection one(PQconnectStart(url.c_str()), &PQfinish);
  if (!one || PQstatus(one.get()) == CONNECTION_BAD) return {};
  PQsetErrorVerbosity(one.get(), PQERRORS_SQLSTATE);
  // As libpq wants it: before the first call the socket has to be writable.
  auto status = PGRES_POLLING_WRITING;
  while (waits(status)) {
    if (!is_readied_by(one.get(), status, until)) return {};
    status = PQconnectPoll(one.get());
  }
  if (status == PGRES_POLLING_OK) return {};
  const auto code = sqlstate_at_end_of(PQerrorMessage(one.get()));
  return is_on_its_way(code) ? std::string() : code;
}

bool is_lasting_refusal(const std::string& sqlstate) {
  return sqlstate.starts_with("28") || sqlstate == "42501";
}

std::string user_named_in(const std::string& url) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree);
  for (auto* one = options.get(); one != nullptr && one->keyword != nullptr; ++one) {
    if (std::string_view(one->keyword) == "user" && one->val != nullptr) return one->val;
  }
  return {};
}

}  // namespace reeve::persistence
