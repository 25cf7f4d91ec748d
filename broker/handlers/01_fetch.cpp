// Fetch, versions 4 to 12: records from an offset on, byte for byte as they were appended, or a wait for them.
//
// Behaviour    Partitions are answered in the order of the request, also empty ones. Whole batches from the one that
//              holds the offset; the first one even if it exceeds every limit; the last may be cut short. Answered at
//              once if min_bytes are there, max_wait_ms is 0, or any partition is an error; else when they have
//              arrived or the time is over. Large ranges are sent from where they lie in the page cache, others, and
//              what is not in memory, are read once into a pooled buffer; neither is copied again. With
//              iolab.fetch.cold=pool or io_uring what is not in memory is read by somebody else, and this answer waits
//              for it alone. With isolation level 1 (read_committed) records end at the last stable offset, and the
//              aborted transactions among them are named: the client passes over them, the broker sends everything.
// Not here     fetch sessions (every answer has session id 0, so clients send full requests), replicas.
#include "broker/protocol/messages/01_fetch.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "broker/core/cold_read.h"
#include "broker/core/waits.h"
#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;
using Answer = FetchResponse::Topic::Partition;

// One partition of the request, resolved, and what was found there last.
struct Wanted {
  core::TopicPointer topic;
  std::shared_ptr<core::Partition> partition;
  std::int32_t index = 0;
  std::int64_t offset = 0;
  std::int64_t max_bytes = 0;
  ErrorCode error = ErrorCode::none;
  core::Partition::Readable found;
  std::optional<core::ColdRead::Outcome> records;  // read ahead of the answer
  std::shared_ptr<core::ColdRead> cold;            // or on its way from the disk
};

// What one request wants, kept apart from the request's bytes: a long poll outlives them.
class Attempt {
 public:
  Attempt(const Request& request, const FetchRequest& wanted)
      : broker_(request.broker),
        header_(request.header),
        isolation_(core::isolation_of(wanted.isolation_level)),
        max_bytes_(std::clamp<std::int64_t>(wanted.max_bytes, 0, request.broker.settings().fetch_max_bytes)),
        min_bytes_(std::min<std::int64_t>(wanted.min_bytes, max_bytes_)) {
    for (const auto& topic : wanted.topics) {
      topics_.push_back({topic.topic, topic.partitions.size()});
      const core::TopicPointer found = request.broker.topics().find(topic.topic);
      for (const auto& partition : topic.partitions) partitions_.push_back(resolve(found, partition));
    }
  }

  // Looks at every partition. True: there is enough, or an error, to answer with.
  bool look() {
    bytes_found_ = 0;
    bool enough = partitions_.empty();
    for (Wanted& wanted : partitions_) enough = look_at(wanted) || enough;
    return enough || bytes_found_ >= min_bytes_;
  }
  std::int64_t bytes_found() const { return bytes_found_; }
  std::int64_t min_bytes() const { return min_bytes_; }

  // Reads what is in memory, and has the rest read. True: it has to be waited for.
  bool order_cold_reads(const core::Wakeup& sleeper) {
    core::ColdReader* const reader = broker_.cold_reader();
    if (reader == nullptr) return false;
    bool waits = false;
    for (Wanted& wanted : partitions_) {
      const auto& location = wanted.found.location;
      if (wanted.error != ErrorCode::none || location.bytes == 0) continue;
      auto now = wanted.partition->read_now(location, broker_.buffers());
      if (!now) {
        wanted.records = std::unexpected(now.error());
      } else if (*now) {
        wanted.records = std::move(**now);
      } else {
        wanted.cold = std::make_shared<core::ColdRead>(wanted.partition, location, broker_.buffers(), sleeper);
        reader->add(wanted.cold);
        waits = true;
      }
    }
    return waits;
  }
  bool cold_reads_done() const {
    return std::ranges::all_of(partitions_, [](const Wanted& wanted) { return !wanted.cold || wanted.cold->done(); });
  }

  bool write(base::GatherBuffer& out) {
    FetchResponse response;
    auto next = partitions_.begin();
    for (const auto& [name, count] : topics_) {
      auto& topic = response.responses.emplace_back(FetchResponse::Topic{.topic = name, .partitions = {}});
      topic.partitions.reserve(count);
      for (std::size_t i = 0; i < count; ++i) fill(*next++, topic.partitions.emplace_back());
    }
    return protocol::write_response(out, header_.correlation_id, header_.api_version, response);
  }

  // While it waits it pins no segment of a log.
  void let_go() {
    for (Wanted& wanted : partitions_) wanted.found.location = {};
  }
  void join(const std::shared_ptr<core::DataWait>& wait) {
    for (const Wanted& wanted : partitions_) wanted.partition->add_wait(wait, isolation_);
  }
  void leave(const std::shared_ptr<core::DataWait>& wait) {
    for (const Wanted& wanted : partitions_) wanted.partition->remove_wait(wait);
  }
  core::Broker& broker() const { return broker_; }

 private:
  static Wanted resolve(const core::TopicPointer& topic, const FetchRequest::Topic::Partition& asked) {
    Wanted wanted{.topic = topic,
                  .partition = nullptr,
                  .index = asked.partition,
                  .offset = asked.fetch_offset,
                  .max_bytes = std::max(asked.partition_max_bytes, 0),
                  .found = {}};
    if (!topic || topic->partition(asked.partition) == nullptr) {
      wanted.error = ErrorCode::unknown_topic_or_partition;
    } else {
      wanted.partition = topic->partitions[static_cast<std::size_t>(asked.partition)];
    }
    if (wanted.error == ErrorCode::none) wanted.error = core::check_leader_epoch(asked.current_leader_epoch);
    return wanted;
  }

  bool look_at(Wanted& wanted) {
    if (wanted.error != ErrorCode::none) return true;
    const std::int64_t room = std::min(wanted.max_bytes, max_bytes_ - bytes_found_);
    const bool first = bytes_found_ == 0;
    auto found = wanted.partition->locate(
        wanted.offset,
        {.max_bytes = static_cast<std::size_t>(std::max<std::int64_t>(room, 0)), .at_least_one_batch = first},
        isolation_);
    if (!found) {
      wanted.error = found.error();
      return true;
    }
    wanted.found = std::move(*found);
    bytes_found_ += static_cast<std::int64_t>(wanted.found.location.bytes);
    return wanted.found.ends_inside;
  }

  void fill(Wanted& wanted, Answer& answer) {
    answer.partition_index = wanted.index;
    if (isolation_ == core::Isolation::read_uncommitted) answer.aborted_transactions.reset();
    answer.error_code = wanted.error;
    answer.high_watermark = -1;
    if (wanted.error != ErrorCode::none) return;
    answer.high_watermark = wanted.found.offsets.high_watermark;
    answer.last_stable_offset = wanted.found.offsets.last_stable_offset;
    answer.log_start_offset = wanted.found.offsets.start;
    if (wanted.found.location.bytes == 0) return;

    auto read = records_of(wanted);
    if (!read) {
      answer.error_code = read.error();
      return;
    }
    answer.records.emplace(read->bytes, std::move(read->owner));
    for (const core::AbortedTransaction& aborted : wanted.found.aborted) {
      answer.aborted_transactions->push_back({aborted.producer_id, aborted.first_offset});
    }
  }

  core::ColdRead::Outcome records_of(Wanted& wanted) {
    if (wanted.records) return std::move(*wanted.records);
    if (wanted.cold) return wanted.cold->take();
    return wanted.partition->read(wanted.found.location, broker_.buffers());
  }

  struct NamedTopic {
    std::string name;
    std::size_t partitions;
  };
  core::Broker& broker_;
  protocol::RequestHeader header_;
  core::Isolation isolation_;
  std::int64_t max_bytes_;
  std::int64_t min_bytes_;
  std::int64_t bytes_found_ = 0;
  std::vector<NamedTopic> topics_;
  std::vector<Wanted> partitions_;  // of all topics, in the order of the request
};

// There is enough to answer with, and something of it comes from the disk.
class ReadingFetch final : public Parked {
 public:
  explicit ReadingFetch(Attempt attempt) : attempt_(std::move(attempt)) {}

  bool holds_back() const override { return true; }
  Progress resume(core::Moment, base::GatherBuffer& out) override {
    if (!attempt_.cold_reads_done()) return Progress::waiting;
    return attempt_.write(out) ? Progress::answered : Progress::close;
  }

 private:
  Attempt attempt_;
};

class ParkedFetch final : public Parked {
 public:
  ParkedFetch(Attempt attempt, const core::Wakeup& sleeper, std::int64_t until_ms)
      : attempt_(std::move(attempt)),
        sleeper_(sleeper),
        wait_(std::make_shared<core::DataWait>(sleeper)),
        until_ms_(until_ms) {
    attempt_.join(wait_);
    ticket_ = attempt_.broker().deadlines().add(until_ms, sleeper);
  }
  ~ParkedFetch() override {
    attempt_.broker().deadlines().remove(ticket_);
    attempt_.leave(wait_);
  }
  ParkedFetch(const ParkedFetch&) = delete;
  ParkedFetch& operator=(const ParkedFetch&) = delete;

  bool holds_back() const override { return true; }

  // Looks again. True: nothing more to wait for. The wait is armed before looking, so that what arrives meanwhile is
  // seen or counted, or both; counted twice it only makes us look once too often.
  bool look(core::Moment now) {
    do {
      wait_->arm(attempt_.min_bytes());
      if (attempt_.look() || now.steady_ms >= until_ms_) return true;
    } while (wait_->found(attempt_.bytes_found()));
    attempt_.let_go();
    return false;
  }

  Progress resume(core::Moment now, base::GatherBuffer& out) override {
    if (!reading_) {
      if (!wait_->rung() && now.steady_ms < until_ms_) return Progress::waiting;
      if (!look(now)) return Progress::waiting;
      reading_ = attempt_.order_cold_reads(sleeper_);
    }
    if (reading_ && !attempt_.cold_reads_done()) return Progress::waiting;
    return attempt_.write(out) ? Progress::answered : Progress::close;
  }

  // It need not wait after all.
  Attempt take() {
    attempt_.leave(wait_);
    return std::move(attempt_);
  }

 private:
  Attempt attempt_;
  core::Wakeup sleeper_;
  bool reading_ = false;  // from the disk; there is nothing else to wait for any more
  std::shared_ptr<core::DataWait> wait_;
  std::int64_t until_ms_;
  core::Deadlines::Ticket ticket_;
};

Outcome serve(Request& request, Attempt attempt, base::GatherBuffer& out) {
  if (attempt.order_cold_reads(request.sleeper)) return parked(std::make_unique<ReadingFetch>(std::move(attempt)));
  return attempt.write(out) ? answered() : close_connection();
}

Outcome handle(Request& request, FetchRequest& wanted, base::GatherBuffer& out) {
  if (wanted.session_id != 0 || wanted.session_epoch > 0) {  // we have never given one out
    return answer(request, FetchResponse{.error_code = ErrorCode::fetch_session_id_not_found, .responses = {}}, out);
  }
  Attempt attempt(request, wanted);
  if (attempt.look() || wanted.max_wait_ms <= 0) return serve(request, std::move(attempt), out);

  auto waiting =
      std::make_unique<ParkedFetch>(std::move(attempt), request.sleeper, request.now.steady_ms + wanted.max_wait_ms);
  if (waiting->look(request.now)) return serve(request, waiting->take(), out);
  return parked(std::move(waiting));
}

}  // namespace

ApiEntry fetch() {
  return {
      &protocol::kFetch, decode_and_handle<FetchRequest, handle>,
      "Long poll (`min_bytes`, `max_wait_ms`), limits by request and by partition, batches byte for byte. No fetch "
      "sessions: session id 0 is always answered. `read_committed` reads to the last stable offset and is told which "
      "transactions were aborted."};
}

}  // namespace iolab::handlers
