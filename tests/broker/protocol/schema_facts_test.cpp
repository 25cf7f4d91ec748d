// The declarations against facts that were read from Kafka's own: a round trip cannot notice a field that both sides
// forgot. Every field is compared by name, type, versions, tag, nullability and default, in wire order.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "broker/protocol/describer.h"
#include "tests/broker/protocol/every_message.h"

namespace iolab::protocol {
namespace {

using Lines = std::vector<std::string>;

struct ApiFacts {
  std::string header;
  std::map<std::string, Lines> bodies;  // "request", "response"
};

std::map<std::string, ApiFacts> read_facts() {
  std::ifstream file(IOLAB_SCHEMA_FACTS);
  EXPECT_TRUE(file.good()) << IOLAB_SCHEMA_FACTS;
  std::map<std::string, ApiFacts> facts;
  ApiFacts* api = nullptr;
  Lines* body = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string first, second;
    words >> first >> second;
    if (line[0] != ' ' && first == "api") {
      api = &facts[second];
      api->header = line;
    } else if (line[0] != ' ' && second.starts_with("source=")) {
      body = &api->bodies[first];
    } else {
      body->push_back(line);
    }
  }
  return facts;
}

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// One sentence for each line in which they differ; empty if they do not.
Lines differences(const Lines& facts, const Lines& declared) {
  Lines found;
  for (std::size_t i = 0; i < std::max(facts.size(), declared.size()); ++i) {
    const std::string fact = i < facts.size() ? facts[i] : "(nothing)";
    const std::string ours = i < declared.size() ? declared[i] : "(nothing)";
    if (fact != ours) found.push_back("Kafka: " + fact + "   declared here: " + ours);
  }
  return found;
}

std::string header_of(const Api& api) {
  const auto range = [](int first, int last) { return std::to_string(first) + '-' + std::to_string(last); };
  return "api " + std::string(api.name) + " key=" + std::to_string(static_cast<int>(api.key)) +
         " versions=" + range(api.first, api.last) + " advertised=" + range(api.advertised_first, api.last) +
         " flexible=" + (api.flexible == kNeverFlexible ? "never" : std::to_string(api.flexible));
}

TEST(SchemaFacts, EveryDeclarationSaysWhatKafkaSays) {
  // A failure here prints each differing field twice: as Kafka declares it, and as it is declared here.
  const auto facts = read_facts();
  std::size_t apis = 0;
  for_each_api([&]<class Request, class Response>() {
    ++apis;
    const auto found = facts.find(std::string(Request::kApi.name));
    ASSERT_NE(found, facts.end()) << Request::kApi.name;
    EXPECT_EQ(header_of(Request::kApi), found->second.header);
    const Lines request = differences(found->second.bodies.at("request"), lines_of(describe<Request>()));
    const Lines response = differences(found->second.bodies.at("response"), lines_of(describe<Response>()));
    EXPECT_EQ(request, Lines{}) << Request::kApi.name << " request";
    EXPECT_EQ(response, Lines{}) << Request::kApi.name << " response";
  });
  EXPECT_EQ(apis, facts.size());
}

enum class Fault { none, field_missing, order, type, versions, tag, nullability, default_value };

// InitProducerIdRequest once more, with one mistake.
template <Fault fault>
struct Mistaken {
  static constexpr Api kApi = kInitProducerId;
  using Name = std::conditional_t<fault == Fault::nullability, std::string, std::optional<std::string>>;
  using Epoch = std::conditional_t<fault == Fault::type, std::int32_t, std::int16_t>;

  Name transactional_id = "";
  std::int32_t transaction_timeout_ms = 0;
  std::int64_t producer_id = fault == Fault::default_value ? 0 : -1;
  Epoch producer_epoch = -1;

  static constexpr void fields(auto&& field) {
    if (fault != Fault::order) field("transactional_id", &Mistaken::transactional_id);
    if (fault != Fault::field_missing) field("transaction_timeout_ms", &Mistaken::transaction_timeout_ms);
    if (fault == Fault::order) field("transactional_id", &Mistaken::transactional_id);
    field("producer_id", &Mistaken::producer_id, since(fault == Fault::versions ? 2 : 3));
    field("producer_epoch", &Mistaken::producer_epoch, fault == Fault::tag ? since(3).tagged(0) : since(3));
  }
};

template <Fault fault>
std::size_t differences_with() {
  const auto facts = read_facts();
  return differences(facts.at("InitProducerId").bodies.at("request"), lines_of(describe<Mistaken<fault>>())).size();
}

TEST(SchemaFacts, NoticesEveryKindOfMistake) {
  // A failure here means that the test above would pass over that kind of mistake.
  EXPECT_EQ(differences_with<Fault::none>(), 0u);
  EXPECT_EQ(differences_with<Fault::field_missing>(), 3u);  // every later line differs too
  EXPECT_EQ(differences_with<Fault::order>(), 2u);
  EXPECT_EQ(differences_with<Fault::type>(), 1u);
  EXPECT_EQ(differences_with<Fault::versions>(), 1u);
  EXPECT_EQ(differences_with<Fault::tag>(), 1u);
  EXPECT_EQ(differences_with<Fault::nullability>(), 1u);
  EXPECT_EQ(differences_with<Fault::default_value>(), 1u);
}

TEST(SchemaFacts, TagsAreDeclaredInAscendingOrder) {
  // A failure here means that the encoder, which writes tags as they are declared, would write them out of order.
  for_each_message([]<class M>(const M&) {
    std::int32_t previous = -1;
    M::fields([&](const char* name, auto, Field field = {}) {
      if (field.tag < 0) return;
      EXPECT_GT(field.tag, previous) << M::kApi.name << '.' << name;
      previous = field.tag;
    });
  });
}

}  // namespace
}  // namespace iolab::protocol
