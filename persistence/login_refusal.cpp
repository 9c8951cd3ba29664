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

enum class entry { open, refused, silent };

/// Tries to get in; what kept it out is in the connection's message, of the server's words no more
/// than the SQLSTATE.
entry enter(PGconn* one, steady::time_point until) {
  if (PQstatus(one) == CONNECTION_BAD) return entry::refused;
  PQsetErrorVerbosity(one, PQERRORS_SQLSTATE);
  // As libpq wants it: before the first call the socket has to be writable.
  auto status = PGRES_POLLING_WRITING;
  while (waits(status)) {
    if (!is_readied_by(one, status, until)) return entry::silent;
    status = PQconnectPoll(one);
  }
  return status == PGRES_POLLING_OK ? entry::open : entry::refused;
}

/// The server is stopping or starting, which ends by itself.
bool is_on_its_way(const std::string& code) {
  return code == "57P01" || code == "57P02" || code == "57P03";
}

using options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

options parsed(const std::string& url) {
  return {PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree};
}

std::string value_of(const options& all, std::string_view keyword) {
  for (auto* one = all.get(); one != nullptr && one->keyword != nullptr; ++one) {
    if (one->keyword == keyword && one->val != nullptr) return one->val;
  }
  return {};
}

rejection unclear(const std::string& what) {
  return reject(errc::invalid,
                what + "; in a URL's password write @ as %40, / as %2F and % as %25");
}

/// A socket's folder or abstract name may have an @ in it, a host's name has none.
bool are_hosts(std::string_view list) {
  while (!list.empty()) {
    const auto one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), one.size() + 1));
    const bool is_socket = one.starts_with('/') || one.starts_with('@');
    if (!is_socket && one.find('@') != one.npos) return false;
  }
  return true;
}

/// A password with an @ or a / in it moves the borders of what stands around it, and a piece of it
/// is taken for the host, the port or the database. Only the name of a socket begins with an @.
outcome<done> check_url(const std::string& url) {
  const auto all = parsed(url);
  if (!all) return unclear("it is neither a PostgreSQL URL nor key=value text");
  const bool is_host = are_hosts(value_of(all, "host"));
  const bool is_port = value_of(all, "port").find_first_not_of("0123456789,") == std::string::npos;
  if (!is_host || !is_port) return unclear("its host and port cannot be told apart");
  return done{};
}

std::string reason_of_code(const std::string& code) {
  if (code == "28P01") return "the password is wrong, or there is no such user";
  if (code == "28000") return "the user is not let in: there is none, NOLOGIN, or pg_hba.conf";
  if (code == "3D000") return "there is no such database";
  if (code == "42501") return "the user may not connect to it: GRANT CONNECT ON DATABASE";
  if (code == "53300") return "all connections are taken";
  if (is_on_its_way(code)) return "the server is starting or stopping";
  return "it refuses the login with SQLSTATE " + code;
}

/// libpq's own words where no server has said anything.
std::string reason_of(PGconn* one) {
  std::string_view message = PQerrorMessage(one);
  if (const auto code = sqlstate_at_end_of(message); !code.empty()) return reason_of_code(code);
  if (PQconnectionNeedsPassword(one) != 0) return "it asks for a password, and none is given";
  message = message.substr(0, message.find('\n'));
  constexpr std::string_view mark = " failed: ";
  if (const auto at = message.find(mark); at != message.npos) {
    message.remove_prefix(at + mark.size());
  }
  const std::string_view password = PQpass(one);
  if (!password.empty() && message.find(password) != message.npos) return "nobody answers there";
  return "nobody answers there: " + std::string(message);
}

}  // namespace

std::string login_refusal(const std::string& url, std::chrono::milliseconds time) {
  const auto until = steady::now() + time;
  const connection one(PQconnectStart(url.c_str()), &PQfinish);
  if (!one || enter(one.get(), until) != entry::refused) return {};
  const auto code = sqlstate_at_end_of(PQerrorMessage(one.get()));
  return is_on_its_way(code) ? std::string() : code;
}

outcome<done> reach_database(const std::string& url, std::chrono::milliseconds time) {
  const auto until = steady::now() + time;
  if (auto ok = check_url(url); !ok) return ok;
  const connection one(PQconnectStart(url.c_str()), &PQfinish);
  if (!one) return reject(errc::unavailable, "there is no memory for a connection");
  const auto how = enter(one.get(), until);
  // Of one that is silent nothing is known: it may be slow, or the first of several hosts, of which
  // the connections that follow wait for each.
  if (how != entry::refused) return done{};
  const auto name = [](const char* given) { return std::string(given == nullptr ? "" : given); };
  const auto database = name(PQdb(one.get()));
  const bool is_piece = url.find("://") != url.npos && database.find('@') != database.npos;
  if (is_piece) return unclear("its host, port and database cannot be told apart");
  return reject(errc::unavailable,
                "the database " + database + " (host " + name(PQhost(one.get())) + ", port " +
                    name(PQport(one.get())) + ", user " + name(PQuser(one.get())) +
                    ") cannot be used: " + reason_of(one.get()));
}

bool is_lasting_refusal(const std::string& sqlstate) {
  return sqlstate.starts_with("28") || sqlstate == "42501";
}

std::string user_named_in(const std::string& url) {
  return value_of(parsed(url), "user");
}

}  // namespace reeve::persistence
