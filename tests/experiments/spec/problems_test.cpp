// How problems are shown: the line, the place underlined, what to do, at most twenty of them, and how many there are.
#include "experiments/spec/problems.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/spec/spec.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;

const Terminal kPipe{};

std::vector<Problem> problems_of(const std::string& text, SpecOptions options = {}) {
  options.known_models = {"select", "epoll"};
  auto spec = parse_spec(text, "my.json", options);
  return spec ? spec->warnings : spec.error();
}

TEST(Problems, AreShownAsCompilersDo) {
  SCOPED_TRACE("somebody has to count columns to find a mistake");
  const auto text = to_text(problems_of("{\"version\": 1, \"name\": \"mine\", \"question\": \"Why?\",\n"
                                        "  \"workload\": {\n    \"conections\": 1000\n  },\n"
                                        "  \"timing\": { \"repeat\": 3 }\n}\n"),
                            kPipe, "Nothing was run.");
  EXPECT_EQ(text, R"(error: unknown key "conections"
  --> my.json:3:5
    3 |     "conections": 1000
      |     ^^^^^^^^^^^^  did you mean "connections"?
  path /workload/conections · iolab spec explain workload.connections
warning: 3 trials cannot give a verdict
  --> my.json:5:25
    5 |   "timing": { "repeat": 3 }
      |                         ^  needs 6
  path /timing/repeat · iolab spec explain timing.repeat
1 error, 1 warning. Nothing was run.
)");
}

TEST(Problems, TheUnderlineStandsBelowItsWordAfterChineseText) {
  SCOPED_TRACE("two columns of a character count as one, or as three bytes");
  const auto text =
      to_text(problems_of(R"({"version": 1, "name": "mine", "question": {"en": "?", "zh": "为什么？"}, "nmae": 1})"),
              kPipe, "");
  EXPECT_THAT(text, HasSubstr("my.json:1:71"));
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    lines.push_back(text.substr(at, text.find('\n', at) - at));
  }
  const auto shown = lines[2].substr(0, lines[2].find("\"nmae\""));
  const auto spaces = lines[3].substr(0, lines[3].find('^'));
  EXPECT_EQ(display_width(spaces), display_width(shown)) << text;
}

TEST(Problems, OfALongLineOnlyTheSurroundingsAreShown) {
  SCOPED_TRACE("a line of a thousand characters fills the screen");
  const auto text = to_text(problems_of(R"({"version": 1, "name": "mine", "background": ")" + std::string(1000, 'x') +
                                        R"(", "question": 42})"),
                            kPipe, "");
  EXPECT_THAT(text, HasSubstr(" | ... x"));
  EXPECT_THAT(text, HasSubstr("\"question\": 42}\n"));
  EXPECT_LT(text.size(), 500u);
}

TEST(Problems, TheTerminalIsNotSteeredByAFile) {
  SCOPED_TRACE("a control character in a comment changes the terminal's colours");
  const auto text = to_text(problems_of("/* \x1b[31m */ {\"version\": 1, \"name\": \"mine\"}"), kPipe, "");
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
}

TEST(Problems, TwentyAreShownAndAllAreCounted) {
  SCOPED_TRACE("a wrong file scrolls the first mistake away");
  std::string text = "{\"version\": 1, \"name\": \"mine\", \"question\": \"Why?\"";
  for (int i = 0; i < 33; ++i) text += ",\n\"zzzz" + std::to_string(i) + "\": 1";
  const auto shown = to_text(problems_of(text + "}"), kPipe, "");
  EXPECT_THAT(shown, HasSubstr("zzzz19"));
  EXPECT_EQ(shown.find("zzzz20"), std::string::npos);
  EXPECT_THAT(shown, HasSubstr("... and 13 more\n33 errors."));
}

TEST(Problems, ThoseOfFlagsCarryTheFlagAndAreTold) {
  SCOPED_TRACE("a mistake of the command line is shown at a line of the file, or as the file's");
  const std::string good = R"({"version": 1, "name": "mine", "question": "Why?"})";
  const auto models = problems_of(good, {.models = {"epoll", "epol", "selct"}});
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(to_text(models[0]), "--models: no model \"epol\": did you mean \"epoll\"?");
  EXPECT_FALSE(has_errors_in_a_file(models));
  const auto acks = problems_of(good, {.settings = {{"producer.acks", {"0"}}, {"repeat", {"0"}}}});
  ASSERT_EQ(acks.size(), 2u);
  EXPECT_THAT(to_text(acks[0]), HasSubstr("--set timing.repeat: 0 is out of range"));
  EXPECT_THAT(to_text(acks[1]), HasSubstr("--set producer.acks: producer: acks=0"));
  // Both at once: neither hides the other, and the file is what is wrong.
  const auto both = problems_of(R"({"version": 1, "name": "mine"})", {.models = {"epoll", "epol"}});
  ASSERT_EQ(both.size(), 2u);
  EXPECT_TRUE(has_errors_in_a_file(both));
  // Bytes that are no text do not end the program.
  EXPECT_EQ(problems_of(good, {.settings = {{"record_size", {"\xff\xfe"}}}}).size(), 1u);
}

}  // namespace
}  // namespace iolab::lab
