#include "cli/text_input.hpp"

#include "cli/terminal_text.hpp"

#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>
#include <zstd.h>

namespace reeve::cli {
namespace {

constexpr std::size_t most_line = 8 << 20;
constexpr std::size_t piece = std::size_t{256} * 1024;

struct file_closer {
  void operator()(std::FILE* file) const {
    if (file != stdin && file != stdout) std::fclose(file);
  }
};
using file_handle = std::unique_ptr<std::FILE, file_closer>;

struct decompressor_closer {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};
struct compressor_closer {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

class file_input final : public text_input {
 public:
  explicit file_input(file_handle file) : file_(std::move(file)) { sniff(); }

  std::optional<std::string> line() override {
    for (;;) {
      const auto end = text_.find('\n', from_);
      if (end != std::string::npos) {
        std::string found = text_.substr(from_, end - from_);
        from_ = end + 1;
        return found;
      }
      text_.erase(0, from_);
      from_ = 0;
      if (text_.size() > most_line || !read_more()) break;
    }
    if (text_.empty() || text_.size() > most_line) return std::nullopt;
    return std::exchange(text_, std::string());
  }

 private:
  void sniff() {
    constexpr unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    raw_.resize(piece);
    raw_.resize(std::fread(raw_.data(), 1, piece, file_.get()));
    if (raw_.size() >= 4 && std::memcmp(raw_.data(), magic, 4) == 0) {
      stream_.reset(ZSTD_createDStream());
    } else {
      text_.assign(raw_.data(), raw_.size());
    }
  }

  bool read_more() { return stream_ ? inflate() : read_plain(); }

  bool read_plain() {
    raw_.resize(piece);
    const auto got = std::fread(raw_.data(), 1, piece, file_.get());
    text_.append(raw_.data(), got);
    return got > 0;
  }

  bool inflate() {
    if (used_ == raw_.size()) {
      raw_.resize(piece);
      raw_.resize(std::fread(raw_.data(), 1, piece, file_.get()));
      used_ = 0;
      if (raw_.empty()) return false;
    }
    std::vector<char> out(piece);
    ZSTD_inBuffer in{raw_.data(), raw_.size(), used_};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    if (ZSTD_isError(ZSTD_decompressStream(stream_.get(), &to, &in)) != 0) return false;
    used_ = in.pos;
    text_.append(out.data(), to.pos);
    return true;
  }

  file_handle file_;
  std::unique_ptr<ZSTD_DStream, decompressor_closer> stream_;
  std::vector<char> raw_;
  std::size_t used_ = 0;
  std::string text_;
  std::size_t from_ = 0;
};

class file_output final : public text_output {
 public:
  file_output(file_handle file, bool zstd)
      : file_(std::move(file)), is_shown_(::isatty(::fileno(file_.get())) == 1) {
    if (zstd) context_.reset(ZSTD_createCCtx());
  }

  bool write(std::string_view text) override {
    if (context_) return deflate(text, ZSTD_e_continue);
    return is_shown_ ? put(filter_.take(text)) : put(text);
  }
  bool finish() override {
    const bool whole = context_ ? deflate({}, ZSTD_e_end) : put(filter_.finish());
    return whole && clear() && std::fflush(file_.get()) == 0;
  }

 private:
  /// Away with what it held before. Standard output, a device and a pipe are taken as they are.
  bool clear() {
    if (std::exchange(is_cleared_, true)) return true;
    struct stat seen {};
    const int file = ::fileno(file_.get());
    if (file_.get() == stdout || ::fstat(file, &seen) != 0 || !S_ISREG(seen.st_mode)) return true;
    return ::ftruncate(file, 0) == 0;
  }

  bool put(std::string_view text) {
    if (text.empty()) return true;
    return clear() && std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size();
  }

  bool deflate(std::string_view text, ZSTD_EndDirective end) {
    std::vector<char> out(ZSTD_CStreamOutSize());
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    for (;;) {
      ZSTD_outBuffer to{out.data(), out.size(), 0};
      const auto left = ZSTD_compressStream2(context_.get(), &to, &in, end);
      if (ZSTD_isError(left) != 0 || !put({out.data(), to.pos})) return false;
      if (end == ZSTD_e_end ? left == 0 : in.pos == in.size) return true;
    }
  }

  file_handle file_;
  bool is_shown_;
  terminal_filter filter_{true};
  bool is_cleared_ = false;
  std::unique_ptr<ZSTD_CCtx, compressor_closer> context_;
};

/// As fopen does it for "wb", and nothing is lost yet.
file_handle open_to_write(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  file_handle opened(file < 0 ? nullptr : ::fdopen(file, "wb"));
  if (file >= 0 && !opened) ::close(file);
  return opened;
}

}  // namespace

outcome<std::unique_ptr<text_input>> open_text_input(const std::string& path) {
  file_handle file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"));
  if (!file) return reject(errc::unavailable, path + " cannot be read");
  struct stat found {};
  if (::fstat(::fileno(file.get()), &found) == 0 && S_ISDIR(found.st_mode)) {
    return reject(errc::invalid, path + " is a folder");
  }
  return std::unique_ptr<text_input>(std::make_unique<file_input>(std::move(file)));
}

outcome<std::unique_ptr<text_output>> open_text_output(const std::string& path, bool zstd) {
  file_handle file = path == "-" ? file_handle(stdout) : open_to_write(path);
  if (!file) return reject(errc::unavailable, path + " cannot be written");
  if (zstd && ::isatty(::fileno(file.get())) == 1) {
    return reject(errc::invalid,
                  "what is compressed goes into a file or a pipe, not to a terminal");
  }
  return std::unique_ptr<text_output>(std::make_unique<file_output>(std::move(file), zstd));
}

}  // namespace reeve::cli
