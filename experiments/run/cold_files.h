// The files of a topic, taken out of memory, so that who reads them next waits for the disk.
//
// Source: posix_fadvise(2), mincore(2). What is dirty, or mapped by somebody, cannot be dropped, and no call says so:
// therefore it is looked afterwards.
#pragma once

#include <expected>
#include <string>
#include <vector>

namespace iolab::lab {

// The logs of all partitions of a topic, in a broker's data directory. The error: there are none, or they lie in
// memory.
std::expected<std::vector<std::string>, std::string> log_files(const std::string& data, const std::string& topic);

// Once what was written is on the disk. Empty, or why a file's pages are still in memory.
std::string take_out_of_memory(const std::string& file);

// Of a file's pages.
std::expected<double, std::string> share_in_memory(const std::string& file);

}  // namespace iolab::lab
