// PostgreSQL's binary form, byte by byte; that the server reads it is what the journal's tests say.

#include "persistence/pg_binary.hpp"

#include "base/digest.hpp"

#include <gtest/gtest.h>

using namespace reeve;
using namespace reeve::persistence;

namespace {

std::string hex_of(binary_array array) {
  return to_hex(array.take());
}

constexpr const char* some_uuid = "0190b3f2-7d3e-7c4a-9b1f-0c2d3e4f5a6b";

}  // namespace

TEST(EV5_binary, an_empty_array_has_no_dimension) {
  EXPECT_EQ(hex_of(binary_array(oid_text)), "000000000000000000000019");
}

TEST(EV5_binary, elements_have_a_length_and_null_is_minus_one) {
  binary_array array(oid_bigint);
  array.bigint(-2);
  array.null(oid_bigint);
  EXPECT_EQ(hex_of(std::move(array)),
            "0000000100000001000000140000000200000001"
            "00000008fffffffffffffffe"
            "ffffffff");
}

TEST(EV5_binary, a_row_names_the_type_of_each_column) {
  binary_array array(100000);
  array.begin_row(3);
  array.integer(7);
  array.boolean(true);
  array.null(oid_bytea);
  array.end_row();
  EXPECT_EQ(hex_of(std::move(array)),
            "0000000100000000000186a00000000100000001"
            "00000021"
            "00000003"
            "000000170000000400000007"
            "000000100000000101"
            "00000011ffffffff");
}

TEST(EV5_binary, cells_are_taken_from_the_text_form_of_projections) {
  binary_array cells(oid_uuid), values(oid_uuid);
  EXPECT_TRUE(cells.cell(oid_uuid, some_uuid));
  values.id(*parse_uuid(some_uuid));
  EXPECT_EQ(hex_of(std::move(cells)), hex_of(std::move(values)));
  binary_array hex(oid_bytea), bytes(oid_bytea);
  EXPECT_TRUE(hex.cell(oid_bytea, "\\x00ff"));
  bytes.bytes(std::string_view("\0\xff", 2));
  EXPECT_EQ(hex_of(std::move(hex)), hex_of(std::move(bytes)));
}

TEST(EV5_binary, a_cell_that_has_not_the_form_of_its_type_is_refused) {
  const std::pair<type_oid, const char*> bad[] = {
      {oid_uuid, "0190b3f2"},  {oid_bigint, "12x"}, {oid_bigint, ""},    {oid_bigint, " 1"},
      {oid_int, "2147483648"}, {oid_boolean, "t"},  {oid_bytea, "00ff"}, {oid_bytea, "\\x0"},
  };
  for (const auto& [type, text] : bad) {
    binary_array array(type);
    EXPECT_FALSE(array.cell(type, text)) << text;
    EXPECT_TRUE(array.empty()) << text;
    EXPECT_FALSE(fits(type, text)) << text;
  }
  for (const auto& [type, text] : {std::pair{oid_uuid, some_uuid},
                                   {oid_bigint, "-9"},
                                   {oid_int, "2147483647"},
                                   {oid_boolean, "false"},
                                   {oid_bytea, "\\x"},
                                   {oid_text, "any \"thing\""}}) {
    EXPECT_TRUE(fits(type, text)) << text;
  }
  EXPECT_TRUE(fits(oid_bytea, std::nullopt));
}

TEST(EV5_binary, types_have_their_numbers) {
  EXPECT_EQ(oid_of("text"), oid_text);
  EXPECT_EQ(oid_of("int"), oid_int);
  EXPECT_EQ(oid_of("jsonb"), 0U);
}
