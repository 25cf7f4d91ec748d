// What the lab knows of the models: which of them spin, and how each is drawn (variants of one model keep its colour
// and are told apart all the same).

#include "experiments/machine/models.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace iolab::lab {
namespace {

TEST(Models, AnOptionMayAddWhatTheModelIsNot) {
  // Fails if a kernel thread that goes on looking for orders is taken for a server that sleeps: the other side of its
  // duet pays for it.
  const auto models = parse_models(R"({"models": [{"id": "ring", "features": ["other"], "options": [
      {"key": "size", "values": "1..9"},
      {"key": "thread", "values": "off|on", "features": {"on": ["kernel-thread-spins"]}}]},
      {"id": "asks", "features": ["never-sleeps"]}]})");
  ASSERT_TRUE(models) << models.error();
  for (const auto* spinning :
       {"ring:thread=on", "ring:size=2,thread=on", "ring:thread=on,size=2", "asks", "asks:a=b"}) {
    EXPECT_TRUE(spins(*models, spinning)) << spinning;
  }
  for (const auto* sleeping :
       {"ring", "ring:", "ring:thread=off", "ring:thread=only", "ring:size=2", "nobody:thread=on"}) {
    EXPECT_FALSE(spins(*models, sleeping)) << sleeping;
  }
  EXPECT_TRUE(never_sleeps(*models, "asks:a=b"));
  EXPECT_FALSE(never_sleeps(*models, "ring:thread=on"));  // its own threads sleep: no call is made in vain
  EXPECT_FALSE(kernel_thread_spins(*models, "asks"));
}

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
