#pragma once
// The runtime roles: a writer and a reader that own nothing. Their names carry a suffix per
// database, because roles belong to the whole cluster. Passwords are generated once and kept in a
// file of mode 0600; with peer authentication (the private PostgreSQL) there are none.

#include "base/outcome.hpp"

#include <string>

namespace reeve::persistence {

struct roles_options {
  std::string owner_url;
  /// Logins that somebody else made; both or none. Their users become the roles.
  std::string writer_url;
  std::string reader_url;
  /// Where generated passwords are kept.
  std::string secrets_file;
  /// The private PostgreSQL: fixed names, no passwords.
  bool peer = false;
};

struct runtime_logins {
  /// What the migrations put in for @writer@ and @reader@.
  std::string writer_role;
  std::string reader_role;
  std::string writer_url;
  std::string reader_url;
};

/// The names that the private PostgreSQL's ident map knows.
inline constexpr const char* private_owner = "reeve_owner";
inline constexpr const char* private_writer = "reeve_writer_main";
inline constexpr const char* private_reader = "reeve_reader_main";

/// What a server's own logins are called in any other cluster, with the database's oid behind it.
inline constexpr const char* made_writer = "reeve_writer_";
inline constexpr const char* made_reader = "reeve_reader_";

/// Makes what is missing and changes nothing that is there, which another server may be using.
/// Errors: `invalid` (one URL without the other, a file that others may read, or a role that may do
/// more than it should), `unavailable` (also a login that is refused; the text says what to do).
outcome<runtime_logins> ensure_roles(const roles_options& options);

}  // namespace reeve::persistence
