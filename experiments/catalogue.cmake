# Writes OUTPUT, the source of catalogue_text(): both catalogues as string literals, so that a copied binary has them.
file(READ ${CATALOGUES}/en.json english)
file(READ ${CATALOGUES}/zh.json chinese)
file(WRITE ${OUTPUT} "// Written by experiments/catalogue.cmake.
#include \"experiments/words/words.h\"

std::string_view iolab::lab::catalogue_text(Language language) {
  static constexpr std::string_view kEnglish = R\"catalogue(${english})catalogue\";
  static constexpr std::string_view kChinese = R\"catalogue(${chinese})catalogue\";
  return language == Language::chinese ? kChinese : kEnglish;
}
")
