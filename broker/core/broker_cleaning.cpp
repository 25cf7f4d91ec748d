// Compaction of all logs, one after the other, the dirtiest first.
#include <algorithm>
#include <vector>

#include "broker/core/broker.h"

namespace iolab::core {

// A round over the logs, as work of the flusher's thread: in short turns, between which it syncs what else is due. Each
// log comes at most once, so that a round ends even if a log stays dirty.
class Broker::CleaningTurn final : public DiskWork, public std::enable_shared_from_this<CleaningTurn> {
 public:
  explicit CleaningTurn(Broker& broker) : broker_(broker) {}
  ~CleaningTurn() override { broker_.cleaning_.store(false); }

  void run(Moment now) override {
    constexpr std::int64_t kTurnBytes = 4 * 1024 * 1024;
    if (!cleaner_ && !begin_next(now)) return;
    if (!partition_->clean_on(*cleaner_, kTurnBytes)) cleaner_.reset();
    broker_.flushes_.add(shared_from_this());
  }

 private:
  // False: nothing is dirty any more.
  bool begin_next(Moment now) {
    for (;;) {
      partition_ = dirtiest(now);
      if (!partition_) return false;
      looked_at_.push_back(partition_);
      cleaner_ = partition_->begin_cleaning(now, broker_.settings_.cleaner_key_bytes);
      if (cleaner_) return true;
    }
  }

  std::shared_ptr<Partition> dirtiest(Moment now) const {
    std::shared_ptr<Partition> found;
    double most = -1;
    for (const TopicPointer& topic : broker_.topics_.all()) {
      if (!topic->settings.compacts()) continue;
      for (const auto& partition : topic->partitions) {
        if (std::ranges::find(looked_at_, partition) != looked_at_.end()) continue;
        const auto dirt = partition->dirt(now);
        if (!dirt || *dirt <= most) continue;
        most = *dirt;
        found = partition;
      }
    }
    return found;
  }

  Broker& broker_;
  std::vector<std::shared_ptr<Partition>> looked_at_;
  std::shared_ptr<Partition> partition_;  // outlives its cleaner
  std::unique_ptr<storage::LogCleaner> cleaner_;
};

void Broker::order_cleaning() {
  if (!settings_.cleaner || cleaning_.exchange(true)) return;
  flushes_.add(std::make_shared<CleaningTurn>(*this));
}

}  // namespace iolab::core
