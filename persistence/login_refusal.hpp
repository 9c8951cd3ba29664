#pragma once
// Why PostgreSQL lets a login not in. libpqxx tells a connection that failed in words only, which
// the server gives in its own language; libpq tells the SQLSTATE. Inside persistence/ only.

#include "base/outcome.hpp"

#include <chrono>
#include <string>

namespace reeve::persistence {

/// The SQLSTATE with which the server refuses a login. Empty: it gets in, or nobody has refused it:
/// a database that is away, starts, stops or answers nothing within `time`.
std::string login_refusal(const std::string& url,
                          std::chrono::milliseconds time = std::chrono::seconds(2));

/// Gets in once and leaves. `unavailable` says what is wrong in words that name host, port,
/// database and user: another password, a port where nobody answers, a database that there is not,
/// and so on. `invalid`: it is no URL. Never a password, nor what may be a piece of one in a URL
/// that was taken apart elsewhere than meant. Whoever says nothing within the time has refused
/// nothing: that is no error. For whoever runs the server, at its start; no answer
/// to a client may say it.
outcome<done> reach_database(const std::string& url,
                             std::chrono::milliseconds time = std::chrono::seconds(5));

/// Whether a refusal lasts for as long as nobody grants the login something: class 28 (no such
/// login, NOLOGIN, another password) or 42501 (no CONNECT). Others may pass, as 53300 does (full).
bool is_lasting_refusal(const std::string& sqlstate);

/// The user that a URL or key=value text names; empty: none.
std::string user_named_in(const std::string& url);

}  // namespace reeve::persistence
