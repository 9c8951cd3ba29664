// How programs of Reeve are compiled and linked: this one is as the server is. What only optimised
// code has (checks of sizes) is asked for there; scripts/hardened looks at a release.

#include <cstring>
#include <elf.h>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace {

/// The 64-bit form, of the machine's own byte order: what runs here.
class program_file {
 public:
  explicit program_file(const char* path) {
    std::ifstream in(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
    head_ = at<Elf64_Ehdr>(0);
    for (std::size_t i = 0; i < head_.e_phnum; ++i) {
      parts_.push_back(at<Elf64_Phdr>(head_.e_phoff + i * sizeof(Elf64_Phdr)));
    }
  }

  unsigned kind() const { return head_.e_type; }
  const std::vector<Elf64_Phdr>& parts() const { return parts_; }
  std::optional<Elf64_Phdr> part(unsigned type) const {
    for (const auto& one : parts_) {
      if (one.p_type == type) return one;
    }
    return std::nullopt;
  }
  /// The value of an entry of the dynamic table; 0 if there is none.
  Elf64_Xword dynamic(Elf64_Sxword tag) const {
    const auto table = part(PT_DYNAMIC);
    if (!table) return 0;
    for (std::size_t i = 0; i < table->p_filesz / sizeof(Elf64_Dyn); ++i) {
      const auto entry = at<Elf64_Dyn>(table->p_offset + i * sizeof(Elf64_Dyn));
      if (entry.d_tag == tag) return entry.d_un.d_val;
    }
    return 0;
  }

 private:
  template <class T>
  T at(std::size_t offset) const {
    T value{};
    if (offset + sizeof value <= bytes_.size()) {
      std::memcpy(&value, bytes_.data() + offset, sizeof value);
    }
    return value;
  }

  std::string bytes_;
  Elf64_Ehdr head_{};
  std::vector<Elf64_Phdr> parts_;
};

const program_file& own() {
  static const program_file file("/proc/self/exe");
  return file;
}

TEST(OPS1_programs, lie_at_an_address_that_nobody_knows) {
  EXPECT_EQ(own().kind(), unsigned{ET_DYN});
  EXPECT_TRUE(own().dynamic(DT_FLAGS_1) & DF_1_PIE);
}

TEST(OPS1_programs, have_tables_of_functions_that_are_only_read) {
  EXPECT_TRUE(own().part(PT_GNU_RELRO));
  EXPECT_TRUE((own().dynamic(DT_FLAGS) & DF_BIND_NOW) || (own().dynamic(DT_FLAGS_1) & DF_1_NOW));
}

TEST(OPS1_programs, execute_nothing_that_they_may_write) {
  const auto stack = own().part(PT_GNU_STACK);
  ASSERT_TRUE(stack);
  EXPECT_FALSE(stack->p_flags & PF_X);
  for (const auto& part : own().parts()) {
    if (part.p_type != PT_LOAD) continue;
    EXPECT_FALSE((part.p_flags & PF_X) && (part.p_flags & PF_W)) << part.p_vaddr;
  }
}

/// As the compiler says that it was told: libraries in this program may have been built otherwise.
TEST(OPS1_programs, guard_their_stacks_and_sizes) {
#ifdef __SSP_STRONG__
  SUCCEED();
#else
  ADD_FAILURE() << "compiled without -fstack-protector-strong";
#endif
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if !defined(_FORTIFY_SOURCE) || _FORTIFY_SOURCE < 2
  ADD_FAILURE() << "optimised without _FORTIFY_SOURCE";
#endif
#endif
}

}  // namespace
