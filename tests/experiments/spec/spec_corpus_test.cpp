// The corpus of good and bad experiment files, through our own reading. schema_corpus_test.py sends the same files
// through a JSON Schema validator that other people wrote.
//
// A bad file begins with what is expected of it, one line for each complaint, in the order of the file:
//   // expect LINE:COLUMN words that the complaint or its remedy holds
//   // only ours can see it: why a schema cannot
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "experiments/spec/json_document.h"
#include "experiments/spec/spec.h"
#include "experiments/spec/spec_fields.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kCorpusModels{"blocking",  "blocking-pool", "nonblocking",       "select",
                                             "poll",      "epoll",         "epoll-et",          "sigio",
                                             "posix-aio", "io_uring",      "io_uring-multishot"};

std::vector<std::string> files_of(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry :
       fs::directory_iterator(std::string(IOLAB_SOURCE_DIR) + "/tests/experiments/specs/" + folder)) {
    files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  auto name = fs::path(info.param).stem().string();
  std::ranges::replace(name, '-', '_');
  return name;
}

// A complaint of any profile counts, each once, as `iolab spec validate` shows them.
std::vector<Problem> errors_in(const std::string& text, const std::string& file) {
  std::vector<Problem> errors;
  for (const auto* profile : {"standard", "quick", "careful"}) {
    const auto spec = parse_spec(text, file, {.profile = profile, .known_models = kCorpusModels});
    if (spec) continue;
    for (const auto& problem : spec.error()) {
      const auto same = [&](const Problem& known) { return to_text(known) == to_text(problem); };
      if (problem.severity == Severity::error && std::ranges::none_of(errors, same)) errors.push_back(problem);
    }
  }
  sort_by_place(errors);
  return errors;
}

struct Expected {
  Position position;
  std::string words;
};

std::vector<Expected> expected_of(const std::string& text) {
  constexpr std::string_view kMark = "// expect ";
  std::vector<Expected> list;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(kMark)) continue;
    Expected one;
    std::istringstream rest(line.substr(kMark.size()));
    char colon = 0;
    rest >> one.position.line >> colon >> one.position.column >> std::ws;
    std::getline(rest, one.words);
    list.push_back(one);
  }
  return list;
}

class GoodSpec : public testing::TestWithParam<std::string> {};
class BadSpec : public testing::TestWithParam<std::string> {};

TEST_P(GoodSpec, IsAccepted) {
  SCOPED_TRACE("a right experiment file is refused");
  const auto text = read_text_file(GetParam());
  ASSERT_TRUE(text) << text.error();
  const auto errors = errors_in(*text, GetParam());
  EXPECT_TRUE(errors.empty()) << to_text(errors, {}, "");
}

TEST_P(BadSpec, IsRefusedWithEveryPlaceAndRemedy) {
  SCOPED_TRACE("a mistake is overlooked, shown in another place, or told without what to do");
  const auto text = read_text_file(GetParam());
  ASSERT_TRUE(text) << text.error();
  const auto expected = expected_of(*text);
  ASSERT_FALSE(expected.empty()) << "the file does not say what is expected of it";
  const auto errors = errors_in(*text, GetParam());
  ASSERT_EQ(errors.size(), expected.size()) << to_text(errors, {}, "");
  for (std::size_t i = 0; i < errors.size(); ++i) {
    EXPECT_EQ(errors[i].position, expected[i].position) << to_text(errors[i]);
    EXPECT_THAT(to_text(errors[i]), testing::HasSubstr(expected[i].words));
  }
}

INSTANTIATE_TEST_SUITE_P(Corpus, GoodSpec, testing::ValuesIn(files_of("good")), test_name);
INSTANTIATE_TEST_SUITE_P(Corpus, BadSpec, testing::ValuesIn(files_of("bad")), test_name);

TEST(Corpus, IsThere) {
  SCOPED_TRACE("the files are not found, and every test of them passes");
  EXPECT_GE(files_of("good").size(), 27u);
  EXPECT_GE(files_of("bad").size(), 101u);
}

// JSON pointers to every block with keys of its own, those inside of a profile's block among them.
std::vector<std::string> objects_of_the_table() {
  std::vector<std::string> whole;
  std::vector<std::string> profiles;
  for (const auto& field : spec_fields()) {
    if (field.kind == FieldKind::part) profiles.push_back("/" + std::string(field.path));
    if (field.kind != FieldKind::object) continue;
    whole.push_back("/" + std::string(field.path));
    std::ranges::replace(whole.back(), '.', '/');
  }
  auto all = whole;
  all.emplace_back("");
  for (const auto& profile : profiles) {
    all.push_back(profile);
    for (const auto& object : whole) {
      if (may_stand_in_part(object.substr(1, object.find('/', 1) - 1))) all.push_back(profile + object);
    }
  }
  return all;
}

TEST(Corpus, AnUnknownKeyIsRefusedInEveryObject) {
  SCOPED_TRACE("a mistyped key is passed over somewhere in a file, and its default is run in its place");
  const auto objects = objects_of_the_table();
  EXPECT_GE(objects.size(), 19u);  // six blocks, the file, two profiles with five blocks each
  for (const auto& object : objects) {
    nlohmann::ordered_json file{{"version", 1}, {"name", "mine"}, {"question", "Why?"}};
    const auto key = object + "/zzz";
    file[nlohmann::ordered_json::json_pointer(key)] = 1;
    const auto errors = errors_in(file.dump(1), "mine.json");
    const auto names_it = [&](const Problem& problem) {
      return problem.pointer == key && problem.what.contains("\"zzz\"");
    };
    EXPECT_TRUE(std::ranges::any_of(errors, names_it)) << key << ": " << to_text(errors, {}, "");
  }
}

}  // namespace
}  // namespace iolab::lab
