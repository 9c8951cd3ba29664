#pragma once
// Why PostgreSQL lets a login not in. libpqxx tells a connection that failed in words only, which
// the server gives in its own language; libpq tells the SQLSTATE. Inside persistence/ only.

#include <chrono>
#include <string>

namespace reeve::persistence {

/// The SQLSTATE with which a login is refused for as long as nobody grants it something: of class
/// 28 (no such login, NOLOGIN, another password) or 42501 (no CONNECT). Empty: it gets in, or what
/// keeps it out is not the login's: a database that is away, full or answers nothing within `time`.
std::string login_refusal(const std::string& url,
                          std::chrono::milliseconds time = std::chrono::seconds(2));

/// The user that a URL or key=value text names; empty: none.
std::string user_named_in(const std::string& url);

}  // namespace reeve::persistence
