#pragma once
// Small files that a server keeps beside the database: whole or not at all, and told apart from
// those that are there and cannot be read, which must never pass for missing.

#include "base/outcome.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace reeve {

/// Its bytes; nothing if there is no such file. `invalid`: it is there (or may be) and cannot be
/// read, or has more than `most` bytes.
outcome<std::optional<std::string>> read_small_file(const std::string& path,
                                                    std::size_t most = std::size_t{64} * 1024);

/// The same of what nobody else can have put there: a regular file of this process's user, not
/// through a link, that others may not write. `invalid` if it is anything else.
outcome<std::optional<std::string>> read_own_file(const std::string& path,
                                                  std::size_t most = std::size_t{4} * 1024);

/// Makes the file, durably and whole. Mode 0600. `conflict`: there is one already.
outcome<done> write_new_file(const std::string& path, const std::string& content);

/// Replaces the file in one step, durably: a reader, and a machine that lost its power, finds the
/// old content or the new one. Mode 0600. One writer at a time: the draft is `path`.new.
/// `unavailable`: it cannot be written, and the old content stands.
outcome<done> write_small_file(const std::string& path, const std::string& content);

/// True only if there surely is no such file: one behind a folder that may not be searched may be
/// there.
bool is_missing(const std::string& path);

/// A new or renamed entry is on disk only once its folder is.
bool sync_folder_of(const std::string& path);

}  // namespace reeve
