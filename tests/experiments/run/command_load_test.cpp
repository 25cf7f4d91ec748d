// The load as a process: what the lab sees on its pipes.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "experiments/run/load_json.h"
#include "tests/clients/iolab_process.h"
#include "tests/clients/tiny_server.h"

namespace iolab::lab {
namespace {

using clients::IolabProcess;
using clients::TinyServer;

std::string spec_line(const io::Address& target, std::chrono::milliseconds measure) {
  clients::LoadSpec spec;
  spec.target = target;
  spec.kind = clients::LoadKind::echo;
  spec.connections = 2;
  spec.idle_connections = 1;
  spec.warmup = std::chrono::milliseconds(10);
  spec.measure = measure;
  return to_json(spec).dump() + "\n";
}

clients::LoadResult result_of(const std::optional<std::string>& line) {
  EXPECT_TRUE(line && line->starts_with("result "));
  const auto result = load_result_from_json(line ? line->substr(7) : "");
  EXPECT_TRUE(result) << result.error();
  return result ? *result : clients::LoadResult{};
}

TEST(CommandLoad, TheLabIsToldWhenTheWindowBeginsAndEnds) {
  SCOPED_TRACE("the lab reads the server's counters at the wrong moment, or waits for a line that never comes");
  TinyServer server(TinyServer::echo);
  IolabProcess load({"load", "--spec", "-"});
  load.write(spec_line(server.address(), std::chrono::milliseconds(100)));
  EXPECT_EQ(load.line(), "ready 2 1");
  load.write("go\n");
  EXPECT_EQ(load.line(), "window-start");
  EXPECT_EQ(load.line(), "window-end");
  EXPECT_EQ(load.line(), "answered");
  load.write("close\n");
  const auto result = result_of(load.line());
  EXPECT_EQ(load.line(), std::nullopt);
  EXPECT_GT(result.requests, 0u);
  EXPECT_EQ(result.errors_total(), 0u) << result.note;
  EXPECT_EQ(load.wait().exit_code, 0);
}

TEST(CommandLoad, StopEndsItWithAResult) {
  SCOPED_TRACE("an interrupted lab loses the trial, or leaves a load behind that runs on");
  for (const bool says_stop : {true, false}) {
    TinyServer server(TinyServer::echo);
    IolabProcess load({"load", "--spec", "-"});
    load.write(spec_line(server.address(), std::chrono::hours(1)));
    EXPECT_EQ(load.line(), "ready 2 1");
    load.write("go\n");
    EXPECT_EQ(load.line(), "window-start");
    if (says_stop) {
      load.write("stop\n");
    } else {
      load.end_input();  // the lab is gone
    }
    EXPECT_EQ(load.line(), "window-end");
    EXPECT_EQ(load.line(), "answered");
    EXPECT_LT(result_of(load.line()).duration_s, 1000);
    EXPECT_EQ(load.wait().exit_code, 0);
  }
}

TEST(CommandLoad, WithoutGoNothingIsMeasured) {
  SCOPED_TRACE("a load starts although the lab has thought better of it");
  TinyServer server(TinyServer::echo);
  IolabProcess load({"load", "--spec", "-"});
  load.write(spec_line(server.address(), std::chrono::hours(1)));
  EXPECT_EQ(load.line(), "ready 2 1");
  load.write("no\n");
  EXPECT_EQ(result_of(load.line()).requests, 0u);
  EXPECT_EQ(load.wait().exit_code, 0);
}

TEST(CommandLoad, WrongSpecsAndMissingTargetsHaveTheirExitCodes) {
  SCOPED_TRACE("the lab cannot tell a wrong spec from a server that is gone");
  const auto misspelt = clients::run_iolab({"load", "--spec", "-"}, "{\"conections\": 3}\n");
  EXPECT_EQ(misspelt.exit_code, 3);
  EXPECT_NE(misspelt.err.find("conections"), std::string::npos) << misspelt.err;
  EXPECT_EQ(clients::run_iolab({"load", "--spec", "/nonexistent/spec.json"}).exit_code, 3);
  const auto nobody = clients::run_iolab({"load", "--spec", "-"}, "{\"kind\": \"echo\", \"port\": 1}\n");
  EXPECT_EQ(nobody.exit_code, 4);
  EXPECT_NE(nobody.err.find("127.0.0.1:1"), std::string::npos) << nobody.err;
}

TEST(CommandLoad, ItsCeilingIsAResultToo) {
  SCOPED_TRACE("the lab cannot learn what the client could reach");
  const auto path = std::filesystem::temp_directory_path() / ("iolab.spec." + std::to_string(::getpid()));
  std::ofstream(path) << R"({"kind": "produce", "warmup_ms": 10, "measure_ms": 50})";
  IolabProcess load({"load", "--spec", path.string(), "--ceiling", "-1"});
  EXPECT_GT(result_of(load.line()).requests, 0u);
  EXPECT_EQ(load.wait().exit_code, 0);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace iolab::lab
