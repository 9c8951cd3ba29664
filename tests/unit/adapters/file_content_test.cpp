// RUN8: compressed and other binary files are named, not read as lines.
#include "adapters/file_content.hpp"

#include <gtest/gtest.h>
#include <string>

namespace {

using reeve::adapters::what_is_no_text;
using namespace std::string_literals;

}  // namespace

TEST(RUN8_file_content, knows_formats_by_their_signatures) {
  EXPECT_EQ(what_is_no_text("\x1F\x8B\x08"s), "compressed with gzip");
  EXPECT_EQ(what_is_no_text("\x28\xB5\x2F\xFD____"s), "compressed with zstd");
  EXPECT_EQ(what_is_no_text("\xFD"
                            "7zXZ\0_"s),
            "compressed with xz");
  EXPECT_EQ(what_is_no_text("BZh91AY&SY"s), "compressed with bzip2");
  EXPECT_EQ(what_is_no_text("PK\x03\x04"s), "a zip archive");
  EXPECT_EQ(what_is_no_text("LPKSHHRH\0\0"s), "a journal of systemd");
  EXPECT_EQ(what_is_no_text(std::string(257, 'n') + "ustar"), "a tar archive");
  EXPECT_EQ(what_is_no_text("\xFF\xFEI\0N\0F\0O\0"s), "text in UTF-16");
}

TEST(RUN8_file_content, knows_other_binary_files_by_their_characters) {
  EXPECT_EQ(what_is_no_text("\x01\x02\x03\0\0\0wtmp\0\0\0"s), "binary");
  std::string noise;
  unsigned state = 1;
  for (int i = 0; i < 4000; ++i) {
    state = state * 1'664'525U + 1'013'904'223U;
    noise.push_back(static_cast<char>(state >> 24));
  }
  EXPECT_EQ(what_is_no_text(noise), "binary");
}

TEST(RUN8_file_content, takes_text_for_text) {
  EXPECT_EQ(what_is_no_text(""), "");
  EXPECT_EQ(what_is_no_text("PK is a name\n"), "");
  EXPECT_EQ(what_is_no_text("\x1B[31mERROR\x1B[0m\tgr\xC3\xBC\xC3\x9F\x07\r\n"s), "");
  EXPECT_EQ(what_is_no_text("caf\xE9 in Latin-1, \xB5s\n"s), "");
  // Cut by copytruncate while its writer kept its place.
  EXPECT_EQ(what_is_no_text(std::string(5000, '\0') + "INFO goes on\n"), "");
  EXPECT_EQ(what_is_no_text(std::string(9000, '\0')), "");
  EXPECT_EQ(what_is_no_text("one zero \0 in a long line of otherwise readable text, which a "s +
                            std::string(100, 'x')),
            "");
}
