// SHA-256 (FIPS 180-4), to name the binary and the spec of a run. Nothing here is secret.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace iolab::lab {

std::string sha256_hex(std::string_view bytes);
std::expected<std::string, std::string> sha256_of_file(int descriptor);  // from its start; the offset does not move

}  // namespace iolab::lab
