// The two languages of a report.
#pragma once

#include <cstdint>
#include <string_view>

namespace iolab::lab {

enum class Language : std::uint8_t { english, chinese };

std::string_view name(Language language);  // "en", "zh": as in `--lang` and in `run.language`

// What the environment asks for: $IOLAB_LANG, $LC_ALL, $LC_MESSAGES or $LANG, the first that is set. Whatever begins
// with "zh" is Chinese, everything else English.
Language language_of_environment();

// "en", "zh", or anything else for what the environment asks for.
Language language_from(std::string_view choice);

}  // namespace iolab::lab
