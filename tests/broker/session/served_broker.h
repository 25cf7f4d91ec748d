// A broker served through one I/O model on a loopback socket, in this process: with the test's clock, random source and
// cluster id, and the host's own two threads. And a client that sends bytes and reads them, each with a deadline.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "broker/session/broker_host.h"
#include "broker/session/cold_readers.h"
#include "io_models/registry.h"
#include "io_models/signals.h"
#include "io_models/socket.h"
#include "tests/broker/core/test_broker.h"
#include "tests/io_models/required_models.h"

namespace iolab::test {

// Every model that has sockets, or every model.
inline std::vector<std::string> model_ids(bool with_null) {
  std::vector<std::string> ids;
  for (const io::ModelEntry& entry : io::models()) {
    if (with_null || entry.listeners != io::Listeners::none) ids.emplace_back(entry.id);
  }
  return ids;
}

inline std::string name_of(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

inline const io::ModelEntry& model_of(const std::string& id) {
  return *io::choose_model(id)->entry;
}

// Why a test of this model has to be skipped; empty: it runs. In CI nothing may be skipped.
inline std::string reason_to_skip(const std::string& id) {
  const std::string reason = model_of(id).unavailable();
  if (!reason.empty() && io::must_run_here(id)) {
    ADD_FAILURE() << id << " must run here, but: " << reason;
  }
  return reason;
}

class ServedBroker {
 public:
  ServedBroker(const std::string& id, const core::Overrides& overrides, io::FrontendSettings settings = {}) {
    io::block_model_signals();
    auto opened = core::Broker::open(settings_at(directory_.path(), overrides), random_, clock.now());
    if (!opened) throw std::runtime_error(opened.error());
    broker_ = std::move(*opened);
    const io::ModelEntry& model = model_of(id);
    auto frontend = model.make(settings);
    if (!frontend) throw std::runtime_error(frontend.error());
    frontend_ = std::move(*frontend);
    if (model.listeners != io::Listeners::none) {
      const int sockets = model.listeners == io::Listeners::one_shared ? 1 : model.default_threads;
      auto listening = io::listen_on({}, sockets, 128);
      if (!listening) throw std::runtime_error(listening.error());
      listening_ = std::move(*listening);
    }
    broker_->set_endpoint({"127.0.0.1", 9092});  // the same in every run, whatever the port
    host_ = std::make_unique<session::BrokerHost>(*broker_, clock);
    auto cold_reader = session::make_cold_reader(broker_->settings().fetch_cold);
    if (!cold_reader) throw std::runtime_error(cold_reader.error());
    cold_reader_ = std::move(*cold_reader);
    broker_->set_cold_reader(cold_reader_.get());
    host_->start();
    serving_ = std::thread([this] {
      std::vector<int> descriptors;
      for (const io::Fd& socket : listening_.sockets) descriptors.push_back(socket.get());
      frontend_->serve(descriptors, *host_, stop_.get_token());
    });
  }
  ~ServedBroker() { stop(); }
  ServedBroker(const ServedBroker&) = delete;
  ServedBroker& operator=(const ServedBroker&) = delete;

  // Until the front-end has ended by itself (null).
  void join() {
    if (serving_.joinable()) serving_.join();
  }
  // Drains, ends the host's threads, and closes the broker.
  void stop() {
    if (!broker_) return;
    stop_.request_stop();
    join();
    host_->stop();
    cold_reader_.reset();
    broker_->run_flushes(clock.now());  // removes the files of deleted topics, if the flusher had not yet
    EXPECT_TRUE(broker_->close());
    host_.reset();
    broker_.reset();
  }

  core::Broker& broker() { return *broker_; }
  const io::Address& address() const { return listening_.address; }
  const std::filesystem::path& path() const { return directory_.path(); }

  ManualClock clock;

 private:
  TemporaryDirectory directory_;
  SeededRandom random_;
  std::unique_ptr<core::Broker> broker_;
  std::unique_ptr<io::Frontend> frontend_;
  io::ListeningSockets listening_;
  std::unique_ptr<session::BrokerHost> host_;
  std::unique_ptr<core::ColdReader> cold_reader_;
  std::stop_source stop_;
  std::thread serving_;
};

class Client {
 public:
  explicit Client(const io::Address& address) {
    auto socket = io::connect_to(address);
    if (!socket) throw std::runtime_error(socket.error());
    socket_ = std::move(*socket);
    io::set_nonblocking(socket_.get(), true);
  }

  // False: the other side has closed.
  bool send(base::Bytes bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0)
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
      else if (errno != EAGAIN && errno != EINTR)
        return false;
      else if (!wait(POLLOUT))
        return false;
    }
    return true;
  }

  // What there is until the end of the stream, reset or not; or until `enough` bytes.
  Frame receive(std::size_t enough = SIZE_MAX) {
    Frame all;
    std::vector<std::byte> room(64 * 1024);
    while (all.size() < enough) {
      const ssize_t got = ::recv(socket_.get(), room.data(), std::min(room.size(), enough - all.size()), 0);
      if (got > 0) {
        all.insert(all.end(), room.begin(), room.begin() + got);
      } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        return all;
      } else if (!wait(POLLIN)) {
        ADD_FAILURE() << "no answer and no end within the deadline";
        return all;
      }
    }
    return all;
  }

  template <protocol::Struct Response, protocol::Struct M>
  Response ask(const M& message, std::int16_t version) {
    EXPECT_TRUE(send(request_frame(message, version)));
    const Frame size = receive(4);
    if (size.size() < 4) {
      ADD_FAILURE() << "the connection ended in place of an answer";
      return {};
    }
    const Frame frame = receive(static_cast<std::size_t>(base::load_big_endian<std::int32_t>(size.data())));
    const auto response = protocol::read_response<Response>(frame, version);
    EXPECT_TRUE(response) << response.error().sentence();
    return response ? response->message : Response{};
  }

  void finish() { ::shutdown(socket_.get(), SHUT_WR); }

 private:
  bool wait(short events) const {
    pollfd entry{socket_.get(), events, 0};
    return ::poll(&entry, 1, 30'000) > 0;
  }
  io::Fd socket_;
};

}  // namespace iolab::test
