#include "experiments/words/nearest_word.h"

#include <gtest/gtest.h>

namespace iolab::lab {
namespace {

const std::vector<std::string> kKeys{"connections", "idle_connections", "in_flight",
                                     "record_size", "few-busy",         "idle-tax"};

TEST(NearestWord, FindsTypingErrors) {
  SCOPED_TRACE("somebody who mistypes a key is left without the word that was meant");
  EXPECT_EQ(nearest_word("conections", kKeys), "connections");
  EXPECT_EQ(nearest_word("idel_connections", kKeys), "idle_connections");
  EXPECT_EQ(nearest_word("inflight", kKeys), "in_flight");
  EXPECT_EQ(nearest_word("few-bsuy", kKeys), "few-busy");
  EXPECT_EQ(nearest_word("idle-", kKeys), "idle-tax");
}

TEST(NearestWord, SaysNothingWhenNothingIsNear) {
  SCOPED_TRACE("a suggestion that has nothing to do with what was typed sends its reader astray");
  EXPECT_EQ(nearest_word("banana", kKeys), "");
  EXPECT_EQ(nearest_word("xy", kKeys), "");
  EXPECT_EQ(nearest_word("", kKeys), "");
  EXPECT_EQ(nearest_word("epoll", {}), "");
}

TEST(NearestWord, ListsWhatThereIsIfNothingIsNear) {
  SCOPED_TRACE("an unknown word is refused without saying which are known");
  const std::vector<std::string> few{"quick", "standard", "careful"};
  EXPECT_EQ(suggestion("zzzzzz", few), "known are: quick, standard, careful");
  EXPECT_EQ(suggestion("quik", few), "did you mean \"quick\"?");
}

}  // namespace
}  // namespace iolab::lab
