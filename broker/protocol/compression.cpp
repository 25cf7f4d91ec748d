// One small class per library. Each keeps its library's state in a unique_ptr with that library's deleter, and hands
// out what the library gives; none believes a size that a frame declares.
#include "broker/protocol/compression.h"

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

namespace iolab::protocol {
namespace {

using base::Bytes;
using base::MutableBytes;
using Read = std::expected<std::size_t, const char*>;

constexpr std::array<std::string_view, kCompressionCount> kNames = {"none", "gzip", "snappy", "lz4", "zstd"};
constexpr std::size_t kMostPerCall = std::size_t{1} << 30;  // zlib counts in unsigned int

class Stored final : public Decompressor {
 public:
  explicit Stored(Bytes bytes) : left_(bytes) {}
  Read read(MutableBytes room) override {
    const std::size_t count = std::min(room.size(), left_.size());
    std::copy_n(left_.begin(), count, room.begin());
    left_ = left_.subspan(count);
    return count;
  }

 private:
  Bytes left_;
};

class Gzip final : public Decompressor {
 public:
  explicit Gzip(Bytes compressed) : left_(compressed) {
    constexpr int kGzipHeader = 16;
    ready_ = inflateInit2(&stream_, kGzipHeader + MAX_WBITS) == Z_OK;
  }
  ~Gzip() override { inflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  Read read(MutableBytes room) override {
    if (!ready_) return std::unexpected("no memory to read gzip data");
    room = room.first(std::min(room.size(), kMostPerCall));
    stream_.next_out = reinterpret_cast<Bytef*>(room.data());
    stream_.avail_out = static_cast<uInt>(room.size());
    while (stream_.avail_out == room.size() && !ended_) {
      const Bytes part = left_.first(std::min(left_.size(), kMostPerCall));
      // zlib's prototype lacks a const; it only reads.
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(part.data()));
      stream_.avail_in = static_cast<uInt>(part.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      left_ = left_.subspan(part.size() - stream_.avail_in);
      if (result == Z_STREAM_END) {
        ended_ = left_.empty();
        if (!ended_) inflateReset(&stream_);  // gzip data may be several members in a row
      } else if (result != Z_OK) {
        return std::unexpected(left_.empty() ? "the gzip data end too early" : "the gzip data are damaged");
      }
    }
    return room.size() - stream_.avail_out;
  }

 private:
  Bytes left_;
  z_stream stream_{};
  bool ready_ = false, ended_ = false;
};

// Plain snappy is one block; Java clients write blocks behind a header of their own (xerial). A block says how long it
// will be, and cannot become longer than kMostExpansion times what it is: its densest element is 3 bytes for 64.
class Snappy final : public Decompressor {
 public:
  Snappy(Bytes compressed, std::size_t most_plain_bytes) : left_(compressed), most_plain_bytes_(most_plain_bytes) {
    framed_ =
        left_.size() >= kHeaderBytes && std::ranges::equal(left_.first(kMark.size()), std::as_bytes(std::span(kMark)));
    if (framed_) left_ = left_.subspan(kHeaderBytes);
  }

  Read read(MutableBytes room) override {
    while (given_ == block_.size() && !left_.empty()) {
      if (const char* reason = next_block()) return std::unexpected(reason);
    }
    const std::size_t count = std::min(room.size(), block_.size() - given_);
    std::copy_n(block_.begin() + static_cast<std::ptrdiff_t>(given_), count, room.begin());
    given_ += count;
    return count;
  }

  static constexpr std::array<std::uint8_t, 8> kMark = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
  static constexpr std::size_t kHeaderBytes = 16;  // mark, version, lowest compatible version
  static constexpr std::size_t kMostExpansion = 22;

 private:
  const char* next_block() {
    Bytes block = std::exchange(left_, {});
    if (framed_) {
      if (block.size() < 4) return "the snappy data end inside a block's length";
      const auto length = base::load_big_endian<std::int32_t>(block.data());
      block = block.subspan(4);
      if (length < 0 || static_cast<std::size_t>(length) > block.size())
        return "a snappy block is longer than the data";
      left_ = block.subspan(static_cast<std::size_t>(length));
      block = block.first(static_cast<std::size_t>(length));
    }
    const auto* data = reinterpret_cast<const char*>(block.data());
    std::size_t plain_bytes = 0;
    if (!snappy::GetUncompressedLength(data, block.size(), &plain_bytes)) return "a snappy block without a length";
    if (plain_bytes > block.size() * kMostExpansion) return "a snappy block declares more than it can hold";
    if (plain_bytes > most_plain_bytes_) return "a snappy block unfolds to more than is allowed";
    block_.resize(plain_bytes);
    given_ = 0;
    const bool sound = snappy::RawUncompress(data, block.size(), reinterpret_cast<char*>(block_.data()));
    return sound ? nullptr : "the snappy data are damaged";
  }

  Bytes left_;
  std::size_t most_plain_bytes_;
  bool framed_ = false;
  std::vector<std::byte> block_;
  std::size_t given_ = 0;
};

class Lz4 final : public Decompressor {
 public:
  explicit Lz4(Bytes compressed) : left_(compressed) {
    LZ4F_dctx* made = nullptr;
    if (!LZ4F_isError(LZ4F_createDecompressionContext(&made, LZ4F_VERSION))) context_.reset(made);
  }

  Read read(MutableBytes room) override {
    if (!context_) return std::unexpected("no memory to read lz4 data");
    while (!left_.empty() || !whole_) {
      std::size_t written = room.size(), taken = left_.size();
      const std::size_t hint = LZ4F_decompress(context_.get(), room.data(), &written, left_.data(), &taken, nullptr);
      if (LZ4F_isError(hint)) return std::unexpected("the lz4 data are damaged");
      left_ = left_.subspan(taken);
      whole_ = hint == 0;
      if (written > 0) return written;
      if (taken == 0 && !whole_) return std::unexpected("the lz4 data end too early");
    }
    return 0;
  }

 private:
  struct Free {
    void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
  };
  Bytes left_;
  bool whole_ = false;
  std::unique_ptr<LZ4F_dctx, Free> context_;
};

// zstd allocates the window that a frame asks for, so a frame may ask for no more than about the plain bytes that are
// allowed. The smallest bound by default, 16 MiB, covers levels up to 19; a batch of level 20 or more may be refused.
class Zstd final : public Decompressor {
 public:
  Zstd(Bytes compressed, std::size_t most_plain_bytes)
      : input_{compressed.data(), compressed.size(), 0}, context_(ZSTD_createDCtx()) {
    constexpr int kSmallestWindow = 10, kLibraryDefault = 27;
    const int window = std::clamp(static_cast<int>(std::bit_width(most_plain_bytes)), kSmallestWindow, kLibraryDefault);
    if (context_) ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, window);
  }

  Read read(MutableBytes room) override {
    if (!context_) return std::unexpected("no memory to read zstd data");
    ZSTD_outBuffer output{room.data(), room.size(), 0};
    while (output.pos == 0 && (input_.pos < input_.size || !whole_)) {
      const std::size_t before = input_.pos;
      const std::size_t hint = ZSTD_decompressStream(context_.get(), &output, &input_);
      if (ZSTD_getErrorCode(hint) == ZSTD_error_frameParameter_windowTooLarge) {
        return std::unexpected("the zstd data ask for a larger window than is allowed");
      }
      if (ZSTD_isError(hint)) return std::unexpected("the zstd data are damaged");
      whole_ = hint == 0;
      if (output.pos == 0 && input_.pos == before && !whole_) return std::unexpected("the zstd data end too early");
    }
    return output.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  ZSTD_inBuffer input_;
  bool whole_ = false;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
};

std::vector<std::byte> gzip(Bytes plain) {
  constexpr int kGzipHeader = 16, kMemoryLevel = 8;
  z_stream stream{};
  if (plain.size() > kMostPerCall) return {};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipHeader + MAX_WBITS, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::vector<std::byte> out(deflateBound(&stream, static_cast<uLong>(plain.size())));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool finished = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(finished ? out.size() - stream.avail_out : 0);
  deflateEnd(&stream);
  return out;
}

std::vector<std::byte> xerial_snappy(Bytes plain) {
  constexpr std::size_t kBlockBytes = 32 * 1024;
  std::vector<std::byte> out(Snappy::kHeaderBytes);
  std::ranges::copy(std::as_bytes(std::span(Snappy::kMark)), out.begin());
  base::store_big_endian(out.data() + 8, std::int32_t{1});
  base::store_big_endian(out.data() + 12, std::int32_t{1});
  for (; !plain.empty(); plain = plain.subspan(std::min(plain.size(), kBlockBytes))) {
    const Bytes block = plain.first(std::min(plain.size(), kBlockBytes));
    const std::size_t start = out.size();
    out.resize(start + 4 + snappy::MaxCompressedLength(block.size()));
    std::size_t bytes = 0;
    snappy::RawCompress(reinterpret_cast<const char*>(block.data()), block.size(),
                        reinterpret_cast<char*>(out.data() + start + 4), &bytes);
    base::store_big_endian(out.data() + start, static_cast<std::int32_t>(bytes));
    out.resize(start + 4 + bytes);
  }
  return out;
}

std::vector<std::byte> lz4(Bytes plain) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  std::vector<std::byte> out(LZ4F_compressFrameBound(plain.size(), &preferences));
  const std::size_t bytes = LZ4F_compressFrame(out.data(), out.size(), plain.data(), plain.size(), &preferences);
  out.resize(LZ4F_isError(bytes) ? 0 : bytes);
  return out;
}

std::vector<std::byte> zstd(Bytes plain) {
  std::vector<std::byte> out(ZSTD_compressBound(plain.size()));
  const std::size_t bytes = ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), ZSTD_CLEVEL_DEFAULT);
  out.resize(ZSTD_isError(bytes) ? 0 : bytes);
  return out;
}

}  // namespace

std::string_view name(Compression compression) {
  return kNames[static_cast<std::size_t>(compression)];
}

std::optional<Compression> compression_named(std::string_view text) {
  const auto* found = std::ranges::find(kNames, text);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Compression>(found - kNames.begin());
}

std::size_t DecompressionLimits::plain_bytes_of(std::size_t compressed_bytes) const {
  const bool overflows = compressed_bytes > std::numeric_limits<std::size_t>::max() / std::max<std::size_t>(ratio, 1);
  const std::size_t by_ratio = overflows ? plain_bytes : compressed_bytes * ratio;
  return std::min(plain_bytes, std::max(floor_bytes, by_ratio));
}

std::unique_ptr<Decompressor> make_decompressor(Compression compression, Bytes compressed,
                                                const DecompressionLimits& limits) {
  switch (compression) {
    case Compression::gzip: return std::make_unique<Gzip>(compressed);
    case Compression::snappy: return std::make_unique<Snappy>(compressed, limits.plain_bytes_of(compressed.size()));
    case Compression::lz4: return std::make_unique<Lz4>(compressed);
    case Compression::zstd: return std::make_unique<Zstd>(compressed, limits.plain_bytes_of(compressed.size()));
    case Compression::none: break;
  }
  return std::make_unique<Stored>(compressed);
}

std::vector<std::byte> compress(Compression compression, Bytes plain) {
  switch (compression) {
    case Compression::gzip: return gzip(plain);
    case Compression::snappy: return xerial_snappy(plain);
    case Compression::lz4: return lz4(plain);
    case Compression::zstd: return zstd(plain);
    case Compression::none: break;
  }
  return {plain.begin(), plain.end()};
}

}  // namespace iolab::protocol
