// How the models are drawn: variants of one model keep its colour and are told apart all the same.

#include "experiments/machine/models.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace iolab::lab {
namespace {

TEST(VariantLook, IsItsOwnForEachOfTwelve) {
  // Fails if two lines of one picture have the same colour, marker and dash.
  const auto model = look_of("nonblocking:idle=spin");
  std::set<std::tuple<std::string, std::string, std::vector<double>>> seen;
  for (std::size_t earlier = 0; earlier < 13; ++earlier) {
    const auto look = variant_look(model, earlier);
    EXPECT_EQ(look.color, model.color);
    EXPECT_TRUE(seen.emplace(look.marker, look.dash, look.intervals).second) << earlier << " looks like another";
  }
}

TEST(VariantLook, LeavesTheFirstOfAModelAsItIs) {
  // Fails if a model looks different in an experiment that happens to have no second variant of it.
  const auto model = look_of("io_uring");
  const auto first = variant_look(model, 0);
  EXPECT_EQ(std::tie(first.marker, first.dash, first.hatch), std::tie(model.marker, model.dash, model.hatch));
}

TEST(VariantLook, IsNeverThatOfTheSecondEntryOfTheBaseline) {
  // Fails if a variant is drawn with the dashes that mean "the same model again".
  for (std::size_t earlier = 1; earlier < 13; ++earlier) {
    EXPECT_NE(variant_look(look_of("epoll"), earlier).intervals, (std::vector<double>{4, 2}));
  }
}

}  // namespace
}  // namespace iolab::lab
