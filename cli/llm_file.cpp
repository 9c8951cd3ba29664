#include "cli/llm_file.hpp"

#include "base/files.hpp"
#include "codec/codec.hpp"

namespace reeve::cli {

outcome<domain::llm_settings> read_llm_file(const std::string& path) {
  if (path.empty()) return domain::llm_settings{};
  const auto wrong = [&path](const rejection& why) {
    const auto where = why.field.empty() ? std::string() : " at " + why.field;
    return reject(errc::invalid, "llm: " + path + where + ": " + why.detail, "llm");
  };
  const auto text = read_small_file(path, 256 * 1024);
  if (!text) return wrong(text.error());
  if (!*text) return wrong(reject(errc::invalid, "there is no such file"));
  auto settings = codec::decode_text<domain::llm_settings>(**text);
  if (!settings) return wrong(settings.error());
  if (auto ok = domain::check(*settings); !ok) return wrong(ok.error());
  return settings;
}

}  // namespace reeve::cli
