#include "broker/core/cold_read.h"

#include <exception>
#include <utility>

namespace iolab::core {

void ColdRead::run() {
  try {
    end(partition_->read(location_, buffers_));
  } catch (const std::exception&) {  // no memory for the buffer: that answer fails, and nobody else's
    end(std::unexpected(protocol::ErrorCode::kafka_storage_error));
  }
}

ColdRead::Order ColdRead::order() {
  try {
    buffer_ = std::make_shared<base::PooledBuffer>(buffers_.take(location_.bytes));
  } catch (const std::exception&) {  // an order that fails: run() will say why
    return {};
  }
  return {location_.segment_descriptor(), location_.position, buffer_->bytes().first(location_.bytes)};
}

void ColdRead::finish(std::int64_t result) {
  if (!std::cmp_equal(result, location_.bytes)) return run();
  end(partition_->accept(location_, std::move(buffer_)));
}

void ColdRead::end(Outcome outcome) {
  outcome_ = std::move(outcome);
  done_.store(true);
  if (sleeper_) sleeper_->wake();
}

}  // namespace iolab::core
