#include "experiments/words/language.h"

#include <cstdlib>

namespace iolab::lab {

std::string_view name(Language language) {
  return language == Language::chinese ? "zh" : "en";
}

Language language_of_environment() {
  for (const auto* variable : {"IOLAB_LANG", "LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == '\0' || std::string_view(value) == "auto") continue;
    return std::string_view(value).starts_with("zh") ? Language::chinese : Language::english;
  }
  return Language::english;
}

Language language_from(std::string_view choice) {
  if (choice == "zh") return Language::chinese;
  if (choice == "en") return Language::english;
  return language_of_environment();
}

}  // namespace iolab::lab
