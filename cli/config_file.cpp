#include "cli/config_file.hpp"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <toml++/toml.h>

namespace reeve::cli {
namespace {

constexpr std::size_t max_secret_file_bytes = 4096;
constexpr std::size_t max_config_bytes = 1 << 20;

/// What cannot be read is never taken for an empty file: a server would start with defaults. A pipe
/// will do.
outcome<std::string> text_of(const std::string& path) {
  const auto refused = [&path](const std::string& why) {
    return reject(errc::invalid, "the configuration file " + path + " " + why);
  };
  const auto failed = [&](int error) {
    return refused("cannot be read: " + std::generic_category().message(error));
  };
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> file(std::fopen(path.c_str(), "rbe"),
                                                                &std::fclose);
  if (!file) return failed(errno);
  struct stat found {};
  if (::fstat(::fileno(file.get()), &found) == 0 && S_ISDIR(found.st_mode)) {
    return refused("is a folder: name a file in it");
  }
  std::string text(max_config_bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return failed(errno);
  if (text.size() > max_config_bytes) return refused("has more than 1 MiB");
  return text;
}

std::optional<std::string> as_text(const toml::node& node) {
  if (const auto text = node.value<std::string>(); text && node.is_string()) return text;
  if (node.is_boolean()) return *node.value<bool>() ? "true" : "false";
  if (node.is_integer()) return std::to_string(*node.value<std::int64_t>());
  const auto* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  std::string joined;
  for (const auto& element : *array) {
    if (!element.is_string()) return std::nullopt;
    joined += (joined.empty() ? "" : ":") + *element.value<std::string>();
  }
  return joined;
}

}  // namespace

outcome<std::map<std::string, std::string>> read_config_file(const std::string& path) {
  std::map<std::string, std::string> values;
  if (path.empty()) return values;
  const auto content = text_of(path);
  if (!content) return content.error();
  try {
    const auto table = toml::parse(*content);
    for (const auto& [key, node] : table) {
      auto text = as_text(node);
      if (!text) {
        return reject(errc::invalid,
                      path + ": " + std::string(key.str()) + " is text, a number, true or false");
      }
      values[std::string(key.str())] = std::move(*text);
    }
    return values;
  } catch (const toml::parse_error& e) {
    return reject(errc::invalid, path + ", line " + std::to_string(e.source().begin.line) + ": " +
                                     std::string(e.description()));
  }
}

std::string read_secret_file(const std::string& path) {
  std::ifstream in(path);
  std::string text(max_secret_file_bytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text.substr(0, text.find_first_of("\r\n"));
}

std::string quoted_value(const std::string& value) {
  std::string out = "'";
  for (char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

}  // namespace reeve::cli
