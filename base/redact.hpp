#pragma once
// Redaction: what must not leave the process in clear is replaced by "[redacted:kind]".
//
// Two sources of knowledge. Named secrets are exact values (a token from the configuration, a
// secret of a job); they are also found base64-encoded (at any alignment, so inside a longer
// encoded text too; in lines of 64 or 76 columns where the encoded text begins with them), in
// hexadecimal digits, URL-encoded and JSON-escaped (also twice), quoted for shells and as bytes of
// Python, and with the entities of XML and HTML; all that without blanks around them, with single
// blanks in them and with line ends of either kind too, and where a border of 16 KiB cut one of
// their characters. Patterns find what looks like a secret: header
// values, settings and pairs, options of well-known programs, URLs with a password, private keys,
// tokens of well-known issuers. A name alone makes no secret: what stands behind it must look like
// a value, since "failed to refresh token: connection refused" is what an operator has to read.
//
// Newlines inside a secret survive, so line numbers and line counts stay as they were. Markers are
// not redacted again. Time is linear in the size of the text, whatever it holds; only beginnings
// of a named secret, one after another, cost by the secret's size as well. With the optimization of
// a release (one core of a busy shared 2-core machine) it redacted 390 to 420 MB/s of plain log
// lines and 43 to 55 MB/s of the worst text that searches of two minutes found for the patterns
// (bench/redaction.cpp begins with them): there every few bytes name a secret whose value
// has to be judged. Everything here is pure and may be shared between threads; a stream belongs to
// one thread at a time.

#include "base/outcome.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace reeve {

/// `name` appears in the marker (its characters outside [A-Za-z0-9_.-] become '_', cut at 40).
/// `value`: 6..8192 bytes after its trailing line end was removed (files end in one, secrets do
/// not), at most 512 lines. Shorter values would redact ordinary words everywhere; so 6 bytes have
/// to remain where blanks around it are gone and those between two words are one.
struct named_secret {
  std::string name;
  std::string value;
};

inline constexpr std::size_t min_secret_bytes = 6;
inline constexpr std::size_t max_secret_bytes = 8192;
inline constexpr std::size_t max_named_secrets = 256;

/// Whether it is such a value.
bool can_be_redacted(std::string_view value);

/// True for a name whose value is a secret ("db_password", "X-Api-Key"), false for names that only
/// sound so ("prompt_tokens", "password_file", "token_type", "PWD"). For settings and environments,
/// where name and value do not stand side by side in a text.
bool names_a_secret(std::string_view name);

/// True for a text with a secret in it that says so itself: a token with a published beginning, a
/// private key, a URL with a user and a password. Nothing is guessed from names or randomness, so
/// digests, ids and encoded texts are none. For texts that are kept as they are.
bool holds_known_secret(std::string_view text);

class secret_index;

class redactor {
 public:
  /// Patterns only.
  redactor();
  /// `invalid` names the secret that is too short or too long; its value is never in the text.
  static outcome<redactor> make(std::vector<named_secret> secrets, bool patterns = true);

  /// This one and further secrets, e.g. those of one job.
  outcome<redactor> with(std::vector<named_secret> more) const;
  /// Named secrets only: what REEVE_REDACTED=false means for the logs of jobs.
  redactor without_patterns() const;
  redactor with_patterns() const;

  std::string redact(std::string_view text) const;
  bool patterns() const { return patterns_; }

 private:
  friend class redacting_stream;
  redactor(std::shared_ptr<const secret_index> named, bool patterns);
  std::shared_ptr<const secret_index> named_;
  bool patterns_ = true;
};

/// Redaction of bytes that arrive in pieces. The output, put together, is that of
/// `redactor::redact` over the whole input, however it was cut. Text is held back until its line
/// has ended (and longer while it may be the start of a secret of several lines), at most 64 KiB
/// of one line plus the longest secret: a longer line is worked on in overlapping windows.
class redacting_stream {
 public:
  explicit redacting_stream(const redactor& rules);
  ~redacting_stream();
  redacting_stream(redacting_stream&&) noexcept;
  redacting_stream& operator=(redacting_stream&&) noexcept;

  /// What can be let out by now; may be empty.
  std::string write(std::string_view bytes);
  /// The rest. The stream is then as new.
  std::string finish();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace reeve
