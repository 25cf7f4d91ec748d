#include "experiments/claims/claims_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "experiments/claims/claims.h"
#include "experiments/claims/claims_page.h"
#include "experiments/claims/figures.h"
#include "experiments/command.h"
#include "experiments/machine/assets.h"
#include "experiments/machine/interrupt.h"
#include "experiments/machine/process.h"
#include "experiments/report/report.h"
#include "experiments/report/run_report.h"
#include "experiments/run/run.h"
#include "experiments/run/run_lock.h"
#include "experiments/spec/json_document.h"
#include "experiments/words/terminal.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

int fail(int code, const std::string& text) {
  fmt::print(stderr, "iolab claims: {}\n", text);
  return code;
}

// A run and what follows from it; Results refer to the data.
struct MadeRun {
  std::string path;
  std::unique_ptr<RunData> data;
  std::unique_ptr<Results> results;
};

class Evidence {
 public:
  Evidence(const ClaimsRequest& request, const OwnBinary& binary, std::vector<ModelInfo> models, RunDirectory directory)
      : request_(request), binary_(binary), models_(std::move(models)), directory_(std::move(directory)) {}

  // Those that there are. The error, before anything is made: a whole run of another profile lies where one would go.
  std::expected<void, std::string> take_what_there_is(const std::vector<std::string>& experiments) {
    for (const auto& name : experiments) {
      if (take_recorded(name) || !request_.make_runs) continue;
      if (auto clear = is_free(directory_.file("runs/" + name)); !clear) return clear;
      missing_.push_back(name);
    }
    return {};
  }

  std::expected<void, std::string> make_the_others() {
    for (std::size_t i = 0; i < missing_.size() && !interrupted(); ++i) {
      fmt::print(stderr, "{} of {}: {}\n", i + 1, missing_.size(), missing_[i]);
      if (auto made = make(missing_[i]); !made) return made;
    }
    return {};
  }

  const Results* find(const std::string& experiment) const {
    const auto found = runs_.find(experiment);
    return found == runs_.end() ? nullptr : found->second.results.get();
  }
  // As the page tells of them; paths as seen from its directory.
  std::vector<UsedRun> runs() const {
    std::vector<UsedRun> list;
    for (const auto& [name, run] : runs_) {
      std::error_code error;
      const auto path = fs::relative(run.path, directory_.path(), error);
      list.push_back({name, error ? run.path : path.generic_string(), run.results.get()});
    }
    return list;
  }
  const RunDirectory& directory() const { return directory_; }

 private:
  bool take(const std::string& name, const std::string& path, bool own) {
    if (!fs::exists(path + "/plan.json")) return false;
    const auto run = RunDirectory::find(path);
    auto data = run ? load_run(*run) : std::unexpected(std::string());
    if (!data || data->spec.name != name || data->status != "complete") return false;
    if (own && data->spec.profile != request_.profile) return false;  // an earlier start with another profile
    MadeRun made{path, std::make_unique<RunData>(std::move(*data)), nullptr};
    made.results = std::make_unique<Results>(*made.data);
    runs_[name] = std::move(made);
    return true;
  }

  bool take_recorded(const std::string& name) {
    if (take(name, directory_.file("runs/" + name), true)) return true;
    return std::ranges::any_of(request_.from, [&](const auto& root) { return take(name, root + "/" + name, false); });
  }

  std::expected<void, std::string> make(const std::string& name) {
    const auto file = find_experiment(name);
    if (!file) return {};  // the claim will say that there is no run
    const auto text = read_text_file(*file);
    if (!text) return std::unexpected(text.error());
    auto spec = parse_spec(*text, *file, {.profile = request_.profile, .known_models = ids_of(models_)});
    if (!spec) return std::unexpected(to_text(spec.error().front()));
    const auto longest = spec->longest;
    auto data = prepare_run({.spec = std::move(*spec),
                             .seed = 1,
                             .command = fmt::format("iolab run {} --profile {}", name, request_.profile)},
                            binary_, models_, "");
    if (data.plan.trials.empty()) return {};
    const auto path = directory_.file("runs/" + name);
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return std::unexpected(fmt::format("cannot make {}: {}", path, error.message()));
    const auto lock = RunLock::take(path);
    if (!lock) return std::unexpected(lock.error());
    if (auto emptied = empty(path); !emptied) return emptied;
    const auto place = RunDirectory::create(path, name);
    if (!place) return std::unexpected(place.error());
    data.id = place->id();
    if (auto done = write_plan(data, *place); !done) return done;
    const SessionOptions session{.longest = longest, .count_calls = false};
    if (auto done = run_session(data, *place, binary_, session); !done) return done;
    // The page leads to the report of each run.
    if (auto drawn = request_.draw ? write_report_quietly(data, *place) : std::expected<void, std::string>(); !drawn) {
      fmt::print(stderr, "iolab claims: {}: {}\n", name, drawn.error());
    }
    take(name, path, true);
    return {};
  }

  // A run that is whole was made for something else, and stays.
  std::expected<void, std::string> is_free(const std::string& path) const {
    if (!fs::exists(path + "/plan.json")) return {};
    const auto run = RunDirectory::find(path);
    const auto data = run ? load_run(*run) : std::unexpected(run.error());
    if (!data) return std::unexpected(fmt::format("{}; move it away, or take another --out", data.error()));
    if (data->status != "complete") return {};
    return std::unexpected(
        fmt::format("{} holds a complete run of {} by the {} profile, and one of {} by the {} profile would go there: "
                    "take the other --profile, or another --out",
                    path, data->spec.name, data->spec.profile, fs::path(path).filename().string(), request_.profile));
  }

  // Of what an interrupted attempt left. Only under the lock.
  std::expected<void, std::string> empty(const std::string& path) const {
    if (auto clear = is_free(path); !clear) return clear;
    std::error_code error;
    std::vector<fs::path> left;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      if (entry.path().filename() != "run.lock") left.push_back(entry.path());
    }
    for (const auto& entry : left) {
      fs::remove_all(entry, error);
      if (error) return std::unexpected(fmt::format("cannot remove {}: {}", entry.string(), error.message()));
    }
    return {};
  }

  const ClaimsRequest& request_;
  const OwnBinary& binary_;
  const std::vector<ModelInfo> models_;
  const RunDirectory directory_;
  std::map<std::string, MadeRun> runs_;
  std::vector<std::string> missing_;  // experiments whose runs are to be made
};

void print_claims(const Words& words, const std::vector<Judged>& all) {
  const auto terminal = look_at_terminal(stdout);
  TextTable table{.headers = {{"", words.say("claim.title"), words.say("claim.verdict")}},
                  .right = {false, false, false},
                  .rows = {}};
  for (const auto& judged : all) {
    table.rows.push_back(
        {{judged.claim->id, judged.claim->claim.in(words.language()), ruling_text(words, judged)}, ""});
  }
  fmt::print("{}", to_text(table, terminal));
}

std::expected<void, std::string> write_pages(const std::vector<Judged>& all, const Evidence& evidence) {
  for (const Language language : {Language::english, Language::chinese}) {
    const auto page = claims_page(Words::in(language), all, evidence.runs());
    const auto file = language == Language::chinese ? "claims.zh.json" : "claims.json";
    if (auto done = evidence.directory().write(file, page.dump(1) + "\n"); !done) return done;
  }
  return evidence.directory().write("claims.md", claims_summary(all));
}

}  // namespace

int judge_claims(const ClaimsRequest& request) {
  const auto file = find_claims();
  if (!file) return fail(kUsage, "no experiments/claims.json here or beside the binary");
  const auto text = read_text_file(*file);
  if (!text) return fail(kInvalidSpec, text.error());
  const auto claims = parse_claims(*text);
  if (!claims) return fail(kInvalidSpec, claims.error());
  const auto binary = OwnBinary::open();
  if (!binary) return fail(kInternalError, binary.error());
  auto models = ask_for_models(*binary);
  if (!models) return fail(kInternalError, models.error());
  const InterruptScope scope;
  auto directory = RunDirectory::create(request.out, "claims");
  if (!directory) return fail(kCannotRunHere, directory.error());
  std::error_code ignored;
  for (const auto* folder : {"trials", "duets"}) fs::remove(directory->file(folder), ignored);  // those of a run
  Evidence evidence(request, *binary, std::move(*models), std::move(*directory));
  if (auto taken = evidence.take_what_there_is(runs_needed(*claims)); !taken) return fail(kUsage, taken.error());
  if (auto done = evidence.make_the_others(); !done) return fail(kInternalError, done.error());
  std::vector<Judged> all;
  for (const auto& claim : *claims) {
    all.push_back(judge(claim, [&](const std::string& experiment) { return evidence.find(experiment); }));
  }
  if (auto done = write_pages(all, evidence); !done) return fail(kInternalError, done.error());
  print_claims(Words::in(request.language), all);
  const auto drawn = request.draw ? draw_claims(evidence.directory()) : std::expected<void, std::string>();
  if (!drawn) fmt::print("\n{}\n", drawn.error());
  fmt::print("\nPage: {}\n", evidence.directory().file(request.draw && drawn ? "claims.html" : "claims.json"));
  return interrupted() ? kInterrupted : kOk;
}

}  // namespace iolab::lab
