#include "adapters/attempt_archive_port.hpp"
#include "adapters/tar.hpp"
#include "embedded/reeve_init_binary.hpp"

namespace reeve::adapters {
namespace {

outcome<shared_bytes> archive_of(attempt_files files) {
  tar_entry root{.kind = tar_kind::directory, .name = "./", .mode = 0755};
  tar_entry init{.name = "reeve-init", .mode = 0555};
  init.content = embedded::reeve_init_binary();
  tar_entry state{.kind = tar_kind::directory,
                  .name = "state/",
                  .mode = 0700,
                  .uid = files.uid,
                  .gid = files.gid};
  tar_entry out = state;
  out.name = "out/";
  tar_entry in = root;
  in.name = "in/";

  // The inputs come first, so that an error names the index that the caller knows.
  std::vector<tar_entry> entries;
  for (auto& input : files.inputs) {
    // Also in front of an absolute or empty name, which then stays one that is refused.
    entries.push_back(
        {.name = "in/" + input.name, .content = std::move(input.content), .mode = 0444});
  }
  for (auto* fixed : {&root, &init, &state, &in, &out}) entries.push_back(std::move(*fixed));
  auto made = make_tar(entries);
  if (!made) return made.error();
  return std::make_shared<const std::string>(std::move(*made));
}

}  // namespace

outcome<shared_bytes> attempt_archive(attempt_files files) {
  const attempt_files usual;
  const bool is_usual = files.inputs.empty() && files.uid == usual.uid && files.gid == usual.gid;
  if (!is_usual) return archive_of(std::move(files));
  static const auto made = archive_of(usual);
  return made;
}

outcome<std::string> bare_image() {
  const tar_entry entries[] = {{.kind = tar_kind::directory, .name = "reeve/", .mode = 0755}};
  return make_tar(entries);
}

}  // namespace reeve::adapters
