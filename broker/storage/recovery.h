// Opens the segments of one log and decides what of them is true.
//
// After a clean stop the files have to be what they were: sizes, ends and the recovery point must agree, and nothing is
// read twice. After a crash everything above the recovery point is read and verified, and the log ends before the first
// byte that is not a whole, right batch in its place: what lies behind was never promised to survive. Below the
// recovery point nothing is ever cut: damage there is an error, and the files stay as they are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "broker/storage/partition_log.h"
#include "broker/storage/segment.h"

namespace iolab::storage {

struct RecoveredLog {
  std::vector<std::shared_ptr<Segment>> segments;  // at least one
  RecoveryReport report;
  bool is_new = false;  // the first segment was created just now
};

Expected<RecoveredLog> recover_log(const std::filesystem::path& directory, const Segment::Options& options,
                                   const OpenMode& mode, std::int64_t now_ms);

}  // namespace iolab::storage
