// The four codecs of record batches, behind one face: compress at once, decompress as a stream.
//
// A decompressor hands out plain bytes piece by piece, so that a reader decides how many it wants before they exist: a
// batch of a kilobyte that unfolds to gigabytes costs the reader's limit and no more. Where a codec's frame declares a
// size, that size is checked against what the bytes could yield before it is used.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "broker/base/bytes.h"

namespace iolab::protocol {

// The numbers are those of a batch's attributes; the names those of Kafka's `compression.type`.
enum class Compression : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };
inline constexpr int kCompressionCount = 5;

std::string_view name(Compression compression);
std::optional<Compression> compression_named(std::string_view text);

// What a reader is willing to unfold. The ratio is against the compressed bytes; what is below the floor always passes.
struct DecompressionLimits {
  std::size_t plain_bytes = 64u << 20;
  std::size_t ratio = 256;
  std::size_t floor_bytes = 8u << 20;

  std::size_t plain_bytes_of(std::size_t compressed_bytes) const;
};

class Decompressor {
 public:
  virtual ~Decompressor() = default;
  // Puts the next plain bytes at the start of `room` (not empty) and says how many; 0 is the end. The error is a
  // sentence without a period: "the gzip data are damaged".
  virtual std::expected<std::size_t, const char*> read(base::MutableBytes room) = 0;
};

// `compressed` must outlive the decompressor. For Compression::none the bytes come out as they are.
std::unique_ptr<Decompressor> make_decompressor(Compression compression, base::Bytes compressed,
                                                const DecompressionLimits& limits = {});

// Snappy in the framing that Java clients write (xerial, blocks of 32 KiB), lz4 as a frame of independent blocks, which
// is all that Java clients read. An empty result: the library refused (out of memory).
std::vector<std::byte> compress(Compression compression, base::Bytes plain);

}  // namespace iolab::protocol
