// What is to be sent: bytes written here, and pieces that live elsewhere, in one order.
//
// A fetch answer is a few header bytes between megabytes of records that lie elsewhere and are not copied: the headers
// are appended, the records attached together with whatever keeps them alive. Several frames may follow one another.
// Invariant: attached pieces are ordered by the position in `bytes_` before which they are sent.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "broker/base/bytes.h"

namespace iolab::base {

class GatherBuffer {
 public:
  // Smaller pieces are copied: an entry in a gather list costs the kernel more than these bytes.
  static constexpr std::size_t kAttachFromBytes = 1024;

  std::size_t size() const { return bytes_.size() + attached_bytes_; }
  bool empty() const { return size() == 0; }
  std::size_t pieces() const { return 2 * pieces_.size() + 1; }  // that for_each_piece() gives at most
  void clear() {
    bytes_.clear();
    pieces_.clear();
    attached_bytes_ = 0;
  }
  // Gives memory back after an unusually large answer; for use when empty.
  void shrink_above(std::size_t capacity_bytes) {
    if (bytes_.capacity() > capacity_bytes) std::vector<std::byte>(bytes_).swap(bytes_);
  }
  void reserve(std::size_t more_bytes) { bytes_.reserve(bytes_.size() + more_bytes); }
  std::size_t capacity_bytes() const { return bytes_.capacity(); }

  void append(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void append_byte(std::uint8_t value) { bytes_.push_back(std::byte{value}); }
  template <class T>
  void append_big_endian(T value) {
    std::byte raw[sizeof(T)];
    store_big_endian(raw, value);
    bytes_.insert(bytes_.end(), raw, raw + sizeof raw);
  }

  // `owner` keeps `bytes` alive until clear(); an empty owner means that the caller does.
  void attach(Bytes bytes, std::shared_ptr<const void> owner) {
    if (bytes.size() < kAttachFromBytes) return append(bytes);
    pieces_.push_back({bytes_.size(), bytes, std::move(owner)});
    attached_bytes_ += bytes.size();
  }

  // A position to come back to: patch an integer that was not known yet, or forget what was written since.
  struct Mark {
    std::size_t bytes = 0, pieces = 0, size = 0;
  };
  Mark mark() const { return {bytes_.size(), pieces_.size(), size()}; }
  std::size_t size_since(const Mark& mark) const { return size() - mark.size; }
  template <class T>
  void patch_big_endian(const Mark& at, T value) {
    store_big_endian(bytes_.data() + at.bytes, value);
  }
  void rewind(const Mark& mark) {
    bytes_.resize(mark.bytes);
    pieces_.resize(mark.pieces);
    attached_bytes_ = mark.size - mark.bytes;
  }

  // Calls `take(Bytes)` for each non-empty piece in order, without the first `skip` bytes of the whole.
  // The views hold until the next change of this buffer.
  template <class Take>
  void for_each_piece(std::size_t skip, Take&& take) const {
    const auto give = [&](Bytes piece) {
      if (skip >= piece.size()) {
        skip -= piece.size();
      } else {
        take(piece.subspan(std::exchange(skip, 0)));
      }
    };
    std::size_t written = 0;
    for (const Piece& piece : pieces_) {
      give(Bytes(bytes_).subspan(written, piece.before - written));
      give(piece.bytes);
      written = piece.before;
    }
    give(Bytes(bytes_).subspan(written));
  }

  // Everything in one piece: for tests, and for clients that send small requests.
  std::vector<std::byte> flat() const {
    std::vector<std::byte> all;
    all.reserve(size());
    for_each_piece(0, [&](Bytes piece) { all.insert(all.end(), piece.begin(), piece.end()); });
    return all;
  }

 private:
  struct Piece {
    std::size_t before;  // sent when this many of bytes_ have been
    Bytes bytes;
    std::shared_ptr<const void> owner;
  };
  std::vector<std::byte> bytes_;
  std::vector<Piece> pieces_;
  std::size_t attached_bytes_ = 0;
};

}  // namespace iolab::base
