#include "io_models/null_frontend.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <random>
#include <utility>

#include "io_models/counters.h"
#include "io_models/frontends.h"

namespace iolab::io {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

std::string cannot(std::string_view what, const std::string& path) {
  return std::string("cannot ").append(what).append(" ").append(path).append(": ").append(std::strerror(errno));
}

std::expected<std::vector<std::byte>, std::string> contents(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rbe"));
  if (!file) return std::unexpected(cannot("open the script", path));
  std::vector<std::byte> bytes;
  std::vector<std::byte> room(256 * 1024);
  while (const std::size_t some = std::fread(room.data(), 1, room.size(), file.get()))
    bytes.insert(bytes.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(some));
  if (std::ferror(file.get()) != 0) return std::unexpected(cannot("read the script", path));
  return bytes;
}

// The script's bytes, over and over, cut into pieces.
class Source {
 public:
  Source(std::span<const std::byte> script, const NullSettings& settings)
      : script_(script),
        left_(script.empty() ? 0 : settings.repeat),
        longest_(settings.split_bytes),
        cut_(settings.split_seed != 0),
        random_(settings.split_seed) {}

  // Fills the start of `room`; 0: there is no more.
  std::size_t next(std::span<std::byte> room) {
    if (left_ == 0) return 0;
    std::size_t size = std::min(room.size(), script_.size() - at_);
    if (cut_) size = std::min<std::size_t>(size, 1 + random_() % longest_);
    std::memcpy(room.data(), script_.data() + at_, size);
    at_ += size;
    if (at_ == script_.size()) at_ = 0, --left_;
    return size;
  }

 private:
  const std::span<const std::byte> script_;
  std::uint64_t left_;
  std::size_t at_ = 0;
  const std::size_t longest_;
  const bool cut_;
  std::mt19937_64 random_;
};

}  // namespace

// There is one connection at a time, so a slot is not needed; the generation tells late wake-ups from those meant.
class NullFrontend::Bell final : public Doorbell {
 public:
  void ring(std::uint32_t, std::uint32_t generation) override {
    std::lock_guard lock(mutex_);
    if (generation != generation_) return;
    rung_ = true;
    changed_.notify_one();
  }
  std::uint32_t next_connection() {
    std::lock_guard lock(mutex_);
    rung_ = false;
    return ++generation_;
  }
  // False: stop was requested.
  bool wait(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [this] { return rung_; });
    return std::exchange(rung_, false);
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint32_t generation_ = 0;
  bool rung_ = false;
};

class NullFrontend::Sink {
 public:
  explicit Sink(const std::string& path) {
    if (!path.empty()) file_.reset(std::fopen(path.c_str(), "wbe"));
  }
  std::size_t take(std::span<const iovec> pieces) {
    std::size_t bytes = 0;
    for (const iovec& piece : pieces) {
      if (file_ && std::fwrite(piece.iov_base, 1, piece.iov_len, file_.get()) != piece.iov_len) {
        std::perror("iolab: cannot write the answers of model null");
        file_.reset();
      }
      bytes += piece.iov_len;
    }
    return bytes;
  }

 private:
  File file_;
};

std::expected<std::unique_ptr<NullFrontend>, std::string> NullFrontend::make(NullSettings settings, Limits limits) {
  std::vector<std::vector<std::byte>> scripts;
  for (const std::string& path : settings.scripts) {
    auto script = contents(path);
    if (!script) return std::unexpected(script.error());
    scripts.push_back(std::move(*script));
  }
  if (!settings.answers.empty() && !File(std::fopen(settings.answers.c_str(), "wbe")))
    return std::unexpected(cannot("write the answers to", settings.answers));
  settings.split_bytes = std::max<std::size_t>(settings.split_bytes, 1);
  return std::unique_ptr<NullFrontend>(new NullFrontend(std::move(settings), limits, std::move(scripts)));
}

NullFrontend::NullFrontend(NullSettings settings, Limits limits, std::vector<std::vector<std::byte>> scripts)
    : settings_(std::move(settings)), limits_(limits), scripts_(std::move(scripts)) {}

void NullFrontend::serve(std::span<const int>, Host& host, std::stop_token stop) {
  const CountedThread counted("serve 0");
  Sink sink(settings_.answers);
  bytes_answered_ = 0;
  for (const auto& script : scripts_) play(script, host, sink, stop);
}

// The options of the registry's row; scripts and answers are files, and come in by the same way under keys of their own
// (`iolab broker --script`), because a path may hold any character.
MadeFrontend make_null(const FrontendSettings& settings) {
  const auto option = [&](const char* key) {
    const auto at = settings.options.find(key);
    return at == settings.options.end() ? std::string() : at->second;
  };
  const auto number = [&](const char* key, std::uint64_t otherwise) {
    const std::string text = option(key);
    return text.empty() ? otherwise : std::stoull(text);
  };
  NullSettings null;
  const std::string scripts = option("script");
  for (std::size_t at = 0; at < scripts.size();) {
    const std::size_t end = std::min(scripts.find('\n', at), scripts.size());
    null.scripts.push_back(scripts.substr(at, end - at));
    at = end + 1;
  }
  null.answers = option("answers");
  null.split_seed = number("split", 0);
  null.repeat = number("repeat", 1);
  return NullFrontend::make(std::move(null), settings.limits);
}

void NullFrontend::play(std::span<const std::byte> script, Host& host, Sink& sink, const std::stop_token& stop) {
  const auto bell = std::make_shared<Bell>();
  const std::unique_ptr<Session> session = host.open(Waker(bell, 0, bell->next_connection()));
  count(Count::accepted);
  Source source(script, settings_);
  while (!stop.stop_requested()) {
    switch (session->want()) {
      case Want::receive: {
        const std::span<std::byte> room = session->input();
        const std::size_t bytes = source.next(room.first(std::min(room.size(), limits_.bytes_per_read)));
        count(Count::bytes_received, bytes);
        session->received(bytes);
        if (bytes == 0 && session->want() == Want::receive) return;  // it wants more from a peer that has finished
        break;
      }
      case Want::send: {
        const std::size_t bytes = sink.take(session->output());
        count(Count::bytes_sent, bytes);
        bytes_answered_ += bytes;
        session->sent(bytes);
        break;
      }
      case Want::wake:
        if (bell->wait(stop)) session->woken();
        break;
      case Want::close: count(Count::closed); return;
    }
  }
}

}  // namespace iolab::io
