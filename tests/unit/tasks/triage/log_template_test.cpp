// RUN8: lines are grouped into templates.
#include "tasks/triage/log_template.hpp"

#include "tasks/triage/log_mask.hpp"
#include "tasks/triage/log_text.hpp"

#include <gtest/gtest.h>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace {

using reeve::tasks::clean_line;
using reeve::tasks::mask_variables;
using reeve::tasks::miner_limits;
using reeve::tasks::template_miner;
using reeve::tasks::time_of_line;

constexpr reeve::time_us template_now = 1'795'161'600'000'000;  // 2026-11-20T08:00:00Z

std::vector<std::string> texts_of(const template_miner& miner) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < miner.size(); ++i) texts.push_back(miner.get(i).text);
  return texts;
}

struct mask_case {
  std::string line;
  std::string masked;
};

}  // namespace

class RUN8_mask : public testing::TestWithParam<mask_case> {};

TEST_P(RUN8_mask, replaces_variables) {
  EXPECT_EQ(mask_variables(GetParam().line), GetParam().masked);
  EXPECT_EQ(mask_variables(GetParam().masked), GetParam().masked);
}

INSTANTIATE_TEST_SUITE_P(
    kinds, RUN8_mask,
    testing::Values(mask_case{"2026-11-20T08:00:00.123Z up", "<time> up"},
                    mask_case{"2026-11-20 08:00:00,123 up", "<time> up"},
                    mask_case{"[20/Nov/2026:08:00:00 +0000] x", "[<time>] x"},
                    mask_case{"Nov 20 08:00:01 host", "<time> host"},
                    mask_case{"Nov  2 08:00:01 host", "<time> host"},
                    mask_case{"at 08:00:01.5 on 2026-11-20", "at <time> on <time>"},
                    mask_case{"id 4f9a1c22-0b7e-4c1d-9a55-0d6c9e7b1f00.", "id <uuid>."},
                    mask_case{"from 10.0.0.1:8080 to [::1]:53", "from <ip>:<num> to [<ip>]:<num>"},
                    mask_case{"fe80::1ff:fe23:4567:890a%eth0", "<ip>%eth<num>"},
                    mask_case{"mac 0a:1b:2c:3d:4e:5f up", "mac <mac> up"},
                    mask_case{"std::string a::b", "std::string a::b"},
                    mask_case{"container 9f86d081884c gone", "container <hex> gone"},
                    mask_case{"at 0x7ffd9a facade decade", "at <hex> facade decade"},
                    mask_case{"pod web-7d9f8c6b5-x2x4z", "pod web-<hex>-<id>"},
                    mask_case{"took 12.5ms, -3 of 1e9 (99%)",
                              "took <duration>, <num> of <num> (<num>%)"},
                    mask_case{"worker12 sha256 s3", "worker<num> sha<num> s<num>"},
                    mask_case{"open /var/lib/x/123/a.log", "open /var/lib/x/<num>/a.log"},
                    mask_case{"version 1.2.3-rc1", "version <num>-rc<num>"},
                    mask_case{"no variables here", "no variables here"}, mask_case{"", ""}));

INSTANTIATE_TEST_SUITE_P(
    times, RUN8_mask,
    testing::Values(
        mask_case{"[Sun Dec 04 04:47:44 2005] [notice] x", "[<time>] [notice] x"},
        mask_case{"Fri, 21 Nov 2026 04:20:00 +0000 x", "<time> x"},
        mask_case{"Fri Nov 21 04:20:00 CET 2026 x", "<time> x"},
        mask_case{"Dec 04, 2005 4:47:44 PM com.x", "<time> com.x"},
        mask_case{"Nov 9 12:01:01 until Dec 31", "<time> until <time>"},
        mask_case{"on Monday at 4:47 PM, not on Wed", "on <day> at <time>, not on <day>"},
        mask_case{"[10.30 16:49:06] x.exe", "[<time>] x.exe"},
        mask_case{"081109 203615 148 INFO x", "<time> <num> INFO x"},
        mask_case{"20171223-22:15:29:606|Step", "<time>|Step"},
        mask_case{"20171224-0:7:20:44|Step", "<time>|Step"},
        mask_case{"17/06/09 20:10:40 INFO", "<time> INFO"},
        mask_case{"2005-06-03-15.42.50.675872 R02", "<time> R<num>"},
        mask_case{"20261121T042000Z", "<time>"},
        mask_case{"Sunny May, Mark 4, Julia 12", "Sunny May, Mark <num>, Julia <num>"},
        mask_case{"a:80:90 v16.75 081109 999999", "a:<num>:<num> v<num>.<num> <num> <num>"}));

INSTANTIATE_TEST_SUITE_P(
    units, RUN8_mask,
    testing::Values(mask_case{"950ms, 1.2 s and 1m30.5s", "<duration>, <duration> and <duration>"},
                    mask_case{"12\xC2\xB5s after 5 minutes", "<duration> after <duration>"},
                    mask_case{"lifetime <1 sec", "lifetime <duration>"},
                    mask_case{"1,033 bytes (1.00 KB) sent", "<size> sent"},
                    mask_case{"12 KB/s, 3.5MiB, 512M", "<size>/s, <size>, <size>"},
                    mask_case{"17 m away, 12 records, 3 Mars",
                              "<num> m away, <num> records, <num> Mars"},
                    mask_case{"blk_-123 blk_123 (-5) web-1 1-2",
                              "blk_<num> blk_<num> (<num>) web-<num> <num>-<num>"},
                    mask_case{"7f3b2d9 3d4e5f6a7b", "<hex> <hex>"}));

TEST(RUN8_template, of_a_planted_one_words_that_vary_are_no_list) {
  template_miner miner;
  miner.plant("info disconnected from <ip> since <*> <*>", "info");
  const auto number = miner.add("disconnected from 10.0.0.1 since user left", "info");
  EXPECT_EQ(miner.get(number).text, "info disconnected from <ip> since <*> <*>");
  EXPECT_NE(miner.get(number).planted_id, "");
}

TEST(RUN8_template, a_list_is_one_kind_of_line_however_long) {
  template_miner miner;
  const auto first = miner.add("ask 10.0.0.1 to delete blk_1 blk_-2 blk_3");
  EXPECT_EQ(miner.add("ask 10.0.0.1 to delete blk_7"), first);
  EXPECT_EQ(miner.get(first).text, "ask <ip> to delete blk_<num>");
  const auto pairs = miner.add("bad nodes node-1 0x1f down node-2 0x2f down");
  EXPECT_EQ(miner.add("bad nodes node-1 0x1f down"), pairs);
  EXPECT_NE(miner.add("very very long"), miner.add("very long")) << "words are no list";
}

TEST(RUN8_template, what_a_long_line_begins_with_may_vary) {
  template_miner miner;
  const auto first = miner.add("chrome.exe - a.example.com:443 open through proxy b:8080 HTTPS");
  EXPECT_EQ(miner.add("git.exe - a.example.com:443 open through proxy b:8080 HTTPS"), first);
  EXPECT_EQ(miner.get(first).text, "<*> - a.example.com:<num> open through proxy b:<num> HTTPS");
  EXPECT_NE(miner.add("disk sda1 is full"), miner.add("disc sda1 is full")) << "short ones may not";
}

TEST(RUN8_template, a_line_that_was_seen_goes_where_it_went) {
  template_miner miner;
  const auto first = miner.add("user bob left the room", "info");
  EXPECT_EQ(miner.add("user eve left the room", "info"), first);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(miner.add("user bob left the room", "info"), first);
    EXPECT_NE(miner.add("user bob left the room", "error"), first);
  }
  EXPECT_EQ(miner.get(first).count, 5);
}

TEST(RUN8_template, similar_lines_share_one) {
  template_miner miner;
  const auto first = miner.add("user bob logged in from 10.0.0.1");
  EXPECT_EQ(miner.add("user alice logged in from 10.0.0.2"), first);
  EXPECT_NE(miner.add("disk sda1 is full"), first);
  EXPECT_EQ(miner.get(first).text, "user <*> logged in from <ip>");
  EXPECT_EQ(miner.get(first).count, 2);
}

TEST(RUN8_template, short_messages_with_another_word_stay_apart) {
  template_miner miner;
  EXPECT_NE(miner.add("server started"), miner.add("server stopped"));
  EXPECT_NE(miner.add("disk is full"), miner.add("disk is slow"));
}

TEST(RUN8_template, keys_survive_where_only_values_differ) {
  template_miner miner;
  const auto first = miner.add("request done path=/a user=bob status=200");
  EXPECT_EQ(miner.add("request done path=/b user=eve status=500"), first);
  EXPECT_EQ(miner.get(first).text, "request done path=<*> user=<*> status=<num>");
  EXPECT_EQ(miner.add("request done path=/c user=joe status=404"), first);
}

TEST(RUN8_template, an_error_never_hides_among_harmless_lines) {
  template_miner miner;
  const auto info = miner.add("connection to db closed", "info");
  const auto error = miner.add("connection to db closed", "error");
  EXPECT_NE(info, error);
  EXPECT_EQ(miner.get(error).text, "error connection to db closed");
}

TEST(RUN8_template, the_time_in_front_is_no_part_of_it) {
  template_miner miner;
  EXPECT_EQ(miner.add("2026-11-20T08:00:00Z went down"), miner.add("went down"));
}

TEST(RUN8_template, ids_are_hashes_of_the_text) {
  // The start of SHA-256("abc"), FIPS 180-2 appendix B.1.
  EXPECT_EQ(reeve::tasks::template_id("abc"), "ba7816bf8f01cfea");
}

TEST(RUN8_template, deterministic) {
  std::mt19937 random(3);
  std::vector<std::string> lines;
  const std::vector<std::string> words = {"open", "close", "db", "x=1", "y=two", "10.0.0.1", "a b"};
  for (int i = 0; i < 3000; ++i) {
    std::string line;
    for (auto n = 1 + random() % 7; n > 0; --n) line += words[random() % words.size()] + " ";
    lines.push_back(line + std::to_string(random()));
  }
  template_miner a;
  template_miner b;
  for (const auto& line : lines) ASSERT_EQ(a.add(line), b.add(line));
  EXPECT_EQ(texts_of(a), texts_of(b));
}

TEST(RUN8_template, planted_templates_recognise_lines) {
  template_miner miner;
  miner.plant("error user <*> was refused by policy", "error");
  const auto number = miner.add("user carol was refused by policy", "error");
  EXPECT_EQ(miner.get(number).planted_id,
            reeve::tasks::template_id("error user <*> was refused by policy"));
  EXPECT_EQ(miner.get(number).text, "error user <*> was refused by policy");
  EXPECT_EQ(miner.get(miner.add("user carol was refused by policy", "info")).planted_id, "");
}

TEST(RUN8_template, limits_hold_and_overflow_keeps_the_severity) {
  miner_limits limits;
  limits.templates = 20;
  template_miner miner(limits);
  std::mt19937 random(5);
  for (int i = 0; i < 5000; ++i) {
    std::string line;
    for (int w = 0; w < 3; ++w) {
      for (int c = 0; c < 8; ++c) line.push_back(static_cast<char>('a' + random() % 26));
      line.push_back(' ');
    }
    miner.add(line, "error");
  }
  EXPECT_LE(miner.size(), 21U);
  EXPECT_GT(miner.overflowed(), 4000);
  std::int64_t counted = 0;
  bool other = false;
  for (std::size_t i = 0; i < miner.size(); ++i) {
    counted += miner.get(i).count;
    other = other || miner.get(i).text == "error <other>";
  }
  EXPECT_EQ(counted, 5000);
  EXPECT_TRUE(other);
}

/// A word of its own that is no number of any base.
std::string word_of(int number) {
  std::string made = "z";
  for (int n = number; n > 0; n /= 26) made.push_back(static_cast<char>('a' + n % 26));
  return made;
}

/// Lines of one kind, each with a text of its own: more than the miner remembers by their text.
void flood(template_miner& miner) {
  for (int i = 0; i < 40'000; ++i) {
    miner.add("user " + word_of(i) + " logged in again from the office", "info");
  }
}

TEST(RUN8_template, a_settled_line_is_compared_again_when_templates_change) {
  constexpr int kinds = 20;
  template_miner miner;
  const auto line = [](int i) { return word_of(i) + " beta gamma delta one"; };
  std::vector<std::size_t> first;
  for (int i = 0; i < kinds; ++i) {
    first.push_back(miner.add(line(i), "error"));
    EXPECT_EQ(miner.add(word_of(i) + " beta zeta eta one", "error"), first.back());
  }
  for (int round = 0; round < 2; ++round) {
    flood(miner);
    for (int i = 0; i < kinds; ++i) EXPECT_EQ(miner.add(line(i), "error"), first[i]) << i;
  }
  std::vector<std::size_t> closer;
  for (int i = 0; i < kinds; ++i) {
    closer.push_back(miner.add(word_of(i) + " beta gamma delta two", "error"));
    EXPECT_NE(closer.back(), first[i]);
  }
  flood(miner);
  int moved = 0;
  for (int i = 0; i < kinds; ++i) moved += miner.add(line(i), "error") == closer[i] ? 1 : 0;
  // A few of them may still be remembered by their text.
  EXPECT_GE(moved, kinds - 3);
}

TEST(RUN8_template, lines_without_room_are_counted_each_time_and_by_severity) {
  constexpr int lines = 20'000;
  miner_limits limits;
  limits.templates = 10;
  template_miner miner(limits);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < lines; ++i) {
      miner.add(word_of(i) + " " + word_of(3 * i + 1), i % 2 == 0 ? "error" : "info");
    }
  }
  std::int64_t others = 0;
  std::int64_t counted = 0;
  for (std::size_t i = 0; i < miner.size(); ++i) {
    const auto one = miner.get(i);
    counted += one.count;
    if (one.text == "error <other>" || one.text == "info <other>") {
      others += one.count;
      EXPECT_NEAR(static_cast<double>(one.count), lines, 10) << one.text;
    }
  }
  EXPECT_EQ(counted, 2 * lines);
  EXPECT_EQ(others, miner.overflowed());
}

TEST(RUN8_template, when_a_leaf_is_full_similar_lines_still_merge) {
  template_miner miner;
  for (int i = 0; i < 600; ++i) {
    std::string name;
    for (int n = i; n >= 0; n -= 26) name.push_back(static_cast<char>('a' + n % 26));
    miner.add("greet " + name + " now");
  }
  EXPECT_LE(miner.size(), 101U);
  EXPECT_EQ(miner.overflowed(), 0);
}

TEST(RUN8_template, long_lines_and_many_words_are_cut) {
  template_miner miner;
  std::string words;
  for (int i = 0; i < 1000; ++i) words += "w ";
  const auto many = miner.get(miner.add(words)).text;
  EXPECT_TRUE(many.ends_with("<etc>")) << many;
  EXPECT_LE(many.size(), 200U);
  const auto wide = miner.get(miner.add(std::string(100'000, 'x'))).text;
  EXPECT_LE(wide.size(), 2100U);
  EXPECT_EQ(miner.get(miner.add("")).text, "<empty>");
}

TEST(RUN8_text, clean_lines_are_valid_and_plain) {
  EXPECT_EQ(clean_line("\x1B[31mred\x1B[0m\a x\xFF\x80y\xC3\xA9", 100),
            "red x\xEF\xBF\xBD\xEF\xBF\xBDy\xC3\xA9");
  EXPECT_EQ(clean_line("\ta\tb", 100), "    a b");
  EXPECT_EQ(clean_line("a\xE2\x80\xAE"
                       "b\xC2\x85"
                       "c",
                       100),
            "abc");
  EXPECT_EQ(clean_line("\xC3\xA9\xC3\xA9", 3), "\xC3\xA9");
  EXPECT_EQ(clean_line(std::string("a\0b", 3), 100), "ab");
  EXPECT_EQ(reeve::tasks::shortened("abcdefgh", 6), "abc\xE2\x80\xA6");
  EXPECT_EQ(reeve::tasks::shortened("abc", 6), "abc");
}

TEST(RUN8_text, of_links_and_titles_only_the_text_stays) {
  EXPECT_EQ(clean_line("\x1B]8;;https://a.example/b\x1B\\here\x1B]8;;\x1B\\ end", 100), "here end");
  EXPECT_EQ(clean_line("\x1B]8;;https://a.example/b\ahere\x1B]8;;\a end", 100), "here end");
  EXPECT_EQ(clean_line("\x1B]8;;https://a.example/" + std::string(1000, 'b') + "\ahere", 100),
            "here");
  EXPECT_EQ(clean_line("\xC2\x9B"
                       "31mred\xC2\x9B"
                       "0m \xC2\x9D"
                       "0;t\xC2\x9C.",
                       100),
            "red .");
  EXPECT_EQ(clean_line("\x1B(Bplain\x1B=", 100), "plain");
  // One without an end hides nothing.
  EXPECT_EQ(clean_line("\x1B]0;ERROR disk full", 100), "0;ERROR disk full");
  EXPECT_EQ(clean_line("\x1B]0;a\x1B[31mERROR", 100), "ERROR");
  EXPECT_EQ(clean_line("a\x1B", 100), "a");
}

TEST(RUN8_text, times_at_the_start_of_lines) {
  const auto at = [](std::string_view line) {
    const auto found = time_of_line(line, template_now);
    return found ? reeve::format_time(found->at) : std::string("none");
  };
  EXPECT_EQ(at("2026-11-20T08:00:00.123456789Z x"), "2026-11-20T08:00:00.123456Z");
  EXPECT_EQ(at("2026-11-20T08:00:00+01:00 x"), "2026-11-20T07:00:00.000000Z");
  EXPECT_EQ(at("[2026-11-20 08:00:00,5] x"), "2026-11-20T08:00:00.500000Z");
  EXPECT_EQ(at("2026/11/20 08:00:00 x"), "2026-11-20T08:00:00.000000Z");
  EXPECT_EQ(at("Nov 20 07:59:59 host x"), "2026-11-20T07:59:59.000000Z");
  EXPECT_EQ(at("Dec  1 00:00:00 host x"), "2025-12-01T00:00:00.000000Z");
  EXPECT_EQ(at("<34>1 2026-11-20T08:00:00Z host"), "2026-11-20T08:00:00.000000Z");
  EXPECT_EQ(at("1.2.3.4 - - [20/Nov/2026:08:00:00 +0100] \"GET"), "2026-11-20T07:00:00.000000Z");
  EXPECT_EQ(at("1795161600.25 x"), "2026-11-20T08:00:00.250000Z");
  EXPECT_EQ(at("1795161600000 x"), "2026-11-20T08:00:00.000000Z");
  for (const auto* none : {"hello", "2026", "20:00", "12345 x", "2026-13-20T08:00:00Z", "", "<",
                           "2026-11-20T25:00:00Z", "Nov 20", "[", "17951616001 x"}) {
    EXPECT_EQ(at(none), "none") << none;
  }
}
