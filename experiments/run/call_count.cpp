#include "experiments/run/call_count.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/run/level_load.h"
#include "experiments/run/load_json.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;
using Clock = ChildProcess::Clock;

constexpr std::chrono::milliseconds kWindow{300};  // counts need no long one
constexpr auto kCountSlack = 15s;

class CountingTrial {
 public:
  CountingTrial(const TrialSetup& setup, const Spec& spec, const Plan& plan, const std::vector<ModelInfo>& models,
                const PlannedTrial& planned)
      : setup_(setup), spec_(spec), level_(spec.levels[planned.level]), series_(plan.series[planned.series]) {
    never_rests_ = never_sleeps(models, series_.model);
    load_spec_ = load_spec_for(level_, spec.timing, plan.seed);
    load_spec_.warmup = 0ms;
    load_spec_.measure = std::min(load_spec_.measure, kWindow);
    count_.index = static_cast<int>(planned.series);
    count_.series = series_.id;
    count_.level = level_.id;
  }

  std::expected<CallCount, std::string> run() {
    count_.reason = measure();
    if (count_.reason == "interrupted") return std::unexpected(count_.reason);
    return std::move(count_);
  }

 private:
  // Each step returns an empty text, or why there is no count.
  std::string measure() {
    auto server =
        start_server(setup_, series_.model, serving_threads(series_, spec_), broker_properties(series_, level_));
    if (!server) return server.error();
    load_spec_.target = server->address;
    const auto page = io::CounterPageView::open(setup_.scratch + "/counters");
    if (!page) return page.error();
    // Before the load connects: the threads that a model starts for its connections are watched from their first call.
    const auto kernel = KernelCalls::watch(server->process.pid());
    if (!kernel) return kernel.error();
    auto problem = drive_load(server->process.pid(), *kernel, page->page());
    server->process.stop(kStopLimit);
    return problem;
  }

  std::string drive_load(pid_t server, const KernelCalls& kernel, const io::CounterPage& page) {
    const std::string errors = setup_.scratch + "/load.stderr";
    auto load = ChildProcess::start({.binary = setup_.binary,
                                     .arguments = {"iolab", "load", "--spec", "-"},
                                     .cpu = setup_.cpus.load,
                                     .stderr_file = errors,
                                     .network_namespace = setup_.load_namespace()});
    if (!load) return load.error();
    load->write(to_json(load_spec_).dump() + "\n");
    const auto reached = [&](std::string_view word) -> std::string {
      const auto line = load->read_line(Clock::now() + kConnectLimit + kCountSlack);
      if (!line && line.error() == "interrupted") return line.error();
      if (line && line->starts_with(word)) return {};
      return with_last_words(fmt::format("no \"{}\" from the load generator", word), errors);
    };
    if (auto problem = reached("ready"); !problem.empty()) return problem;
    const CallSnapshot before = look(server, kernel, page);
    load->write("go\n");
    for (const auto* word : {"window-start", "window-end", "answered"}) {
      if (auto problem = reached(word); !problem.empty()) return problem;
    }
    const CallSnapshot after = look(server, kernel, page);
    load->write("close\n");
    if (auto problem = reached("result"); !problem.empty()) return problem;
    if (kernel.lost() > 0) return recorded("reason.kernel_gaps", {{"lost", kernel.lost()}});
    count_.requests = requests(after) - requests(before);
    count_.calls = compare_calls(before, after, layer_threads(page));
    return {};
  }

  CallSnapshot look(pid_t server, const KernelCalls& kernel, const io::CounterPage& page) const {
    if (never_rests_) kill(server, SIGSTOP);
    KernelCounts seen = kernel.counts_at_rest();
    CallSnapshot snapshot{layer_counts(page), std::move(seen)};
    if (never_rests_) kill(server, SIGCONT);
    return snapshot;
  }

  static std::uint64_t requests(const CallSnapshot& snapshot) {
    std::uint64_t sum = 0;
    for (const auto& [thread, totals] : snapshot.layer) sum += totals[io::Count::requests];
    return sum;
  }

  const TrialSetup& setup_;
  const Spec& spec_;
  const Level& level_;
  const Series& series_;
  bool never_rests_ = false;
  clients::LoadSpec load_spec_;
  CallCount count_;
};

}  // namespace

nlohmann::ordered_json to_json(const CallCount& count) {
  using Json = nlohmann::ordered_json;
  Json compared = Json::array();
  for (const auto& call : count.calls.compared) {
    compared.push_back({{"call", call.call}, {"layer", call.layer}, {"kernel", call.kernel}});
  }
  Json others = Json::array();
  for (const auto& call : count.calls.others) {
    others.push_back({{"thread", call.thread}, {"call", call.call}, {"count", call.count}});
  }
  return {{"schema", "iolab-count-1"}, {"index", count.index},       {"series", count.series}, {"level", count.level},
          {"reason", count.reason},    {"requests", count.requests}, {"compared", compared},   {"others", others}};
}

std::expected<CallCount, std::string> call_count_from_json(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    CallCount count;
    json.at("index").get_to(count.index);
    json.at("series").get_to(count.series);
    json.at("level").get_to(count.level);
    json.at("reason").get_to(count.reason);
    json.at("requests").get_to(count.requests);
    for (const auto& call : json.at("compared")) {
      count.calls.compared.push_back({call.at("call").get<std::string>(), call.at("layer").get<std::uint64_t>(),
                                      call.at("kernel").get<std::uint64_t>()});
    }
    for (const auto& call : json.at("others")) {
      count.calls.others.push_back({call.at("thread").get<std::string>(), call.at("call").get<std::string>(),
                                    call.at("count").get<std::uint64_t>()});
    }
    return count;
  } catch (const nlohmann::json::exception& error) {
    return std::unexpected(std::string(error.what()));
  }
}

std::vector<PlannedTrial> trials_to_count(const Plan& plan, const Spec& spec) {
  std::vector<PlannedTrial> list;
  const auto of_model = [&](const PlannedTrial& trial) { return plan.series[trial.series].role == Role::model; };
  std::size_t last = 0;
  for (const PlannedTrial& trial : plan.trials) last = std::max(last, of_model(trial) ? trial.level : 0);
  const std::size_t level = judged_level(plan, spec).value_or(last);
  for (const PlannedTrial& trial : plan.trials) {
    if (trial.level != level || !of_model(trial)) continue;
    if (std::ranges::find(list, trial.series, &PlannedTrial::series) == list.end()) list.push_back(trial);
  }
  std::ranges::sort(list, {}, &PlannedTrial::series);
  return list;
}

std::expected<CallCount, std::string> count_calls(const TrialSetup& setup, const Spec& spec, const Plan& plan,
                                                  const std::vector<ModelInfo>& models, const PlannedTrial& planned) {
  empty_directory(setup.scratch);
  auto count = CountingTrial(setup, spec, plan, models, planned).run();
  empty_directory(setup.scratch);
  return count;
}

}  // namespace iolab::lab
