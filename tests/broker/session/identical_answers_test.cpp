// The same requests give the same answers and the same files, whichever model carries them: a failure here means that a
// model changes what the broker does, and that no comparison of models is worth anything.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/broker/session/conversations.h"
#include "tests/broker/session/paper_connection.h"
#include "tests/broker/session/served_broker.h"

namespace iolab::test {
namespace {

constexpr std::uint64_t kSeed = 20'261'122;
constexpr int kConversations = 30;
const core::Overrides kOverrides{{"iolab.cluster.id", "identical"}, {"num.partitions", "2"}};

struct Result {
  Frame answers;                             // of all conversations, one after the other
  std::map<std::string, std::string> files;  // of the data directory, by relative name
};

std::map<std::string, std::string> files_of(const std::filesystem::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    files[entry.path().lexically_relative(directory)] = {std::istreambuf_iterator<char>(file), {}};
  }
  return files;
}

// One conversation over a socket, in random pieces; the next begins when this one has ended on both sides.
Frame talk(const io::Address& address, const Frame& conversation, std::uint64_t seed) {
  Client client(address);
  std::jthread sender([&] {
    const Pieces pieces = random_pieces(seed, 3000);
    for (std::size_t at = 0; at < conversation.size();) {
      const std::size_t bytes = pieces(conversation.size() - at);
      if (!client.send(base::Bytes(conversation).subspan(at, bytes))) return;
      at += bytes;
    }
    client.finish();
  });
  return client.receive();
}

Result run_over_sockets(const std::string& id, const std::vector<Frame>& conversations) {
  ServedBroker served(id, kOverrides);
  Result result;
  std::uint64_t seed = 1;
  for (const Frame& conversation : conversations) {
    const Frame answers = talk(served.address(), conversation, seed++);
    result.answers.insert(result.answers.end(), answers.begin(), answers.end());
  }
  served.stop();
  result.files = files_of(served.path());
  return result;
}

Result run_through_null(const std::vector<Frame>& conversations) {
  const TemporaryDirectory scratch;
  io::FrontendSettings settings;
  std::string& scripts = settings.options["script"];
  for (std::size_t i = 0; i < conversations.size(); ++i) {
    const auto path = scratch.path() / std::to_string(i);
    std::ofstream(path, std::ios::binary) << base::as_text(conversations[i]);
    scripts += (i == 0 ? "" : "\n") + path.string();
  }
  const auto answers = scratch.path() / "answers";
  settings.options["answers"] = answers.string();
  settings.options["split"] = "99";
  ServedBroker served("null", kOverrides, settings);
  served.join();
  served.stop();
  std::ifstream file(answers, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const base::Bytes bytes = base::as_bytes(text);
  return {Frame(bytes.begin(), bytes.end()), files_of(served.path())};
}

// The reference: no model at all, and nothing cut.
Result run_on_paper(const std::vector<Frame>& conversations) {
  const TemporaryDirectory directory;
  ManualClock clock;
  SeededRandom random;
  auto broker = core::Broker::open(settings_at(directory.path(), kOverrides), random, clock.now());
  EXPECT_TRUE(broker) << broker.error();
  (*broker)->set_endpoint({"127.0.0.1", 9092});
  Result result;
  for (const Frame& conversation : conversations) {
    session::KafkaSession session(**broker, clock, io::Waker());
    const Frame answers = play(session, conversation, whole(), [&] { (*broker)->run_flushes(clock.now()); });
    result.answers.insert(result.answers.end(), answers.begin(), answers.end());
  }
  (*broker)->run_flushes(clock.now());
  EXPECT_TRUE((*broker)->close());
  broker->reset();
  result.files = files_of(directory.path());
  return result;
}

class IdenticalAnswers : public testing::TestWithParam<std::string> {};

TEST_P(IdenticalAnswers, ByteForByte) {
  // Fails if one byte of an answer or of a file differs from what the session does on paper.
  if (const std::string reason = reason_to_skip(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
  const std::vector<Frame> conversations = make_conversations(kSeed, kConversations);
  const Result expected = run_on_paper(conversations);
  ASSERT_GT(expected.answers.size(), 200'000U) << "the conversations are too dull to show anything";
  const Result got = model_of(GetParam()).listeners == io::Listeners::none
                         ? run_through_null(conversations)
                         : run_over_sockets(GetParam(), conversations);
  const auto difference = std::ranges::mismatch(got.answers, expected.answers);
  EXPECT_TRUE(got.answers == expected.answers)
      << got.answers.size() << " bytes of answers in place of " << expected.answers.size()
      << "; the first difference is at " << difference.in1 - got.answers.begin();
  std::size_t log_bytes = 0;
  for (const auto& [name, content] : expected.files) {
    ASSERT_TRUE(got.files.contains(name)) << name << " is missing";
    EXPECT_TRUE(got.files.at(name) == content) << name << " differs";
    if (name.ends_with(".log")) log_bytes += content.size();
  }
  EXPECT_EQ(got.files.size(), expected.files.size()) << "there are files that should not be there";
  EXPECT_GT(log_bytes, 50'000U) << "hardly anything was stored";
}

INSTANTIATE_TEST_SUITE_P(Models, IdenticalAnswers, testing::ValuesIn(model_ids(true)), name_of);

}  // namespace
}  // namespace iolab::test
