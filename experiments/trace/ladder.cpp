#include "experiments/trace/ladder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/trace/source_line.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

bool is_hidden(Row row) {
  return row == Row::helper || row == Row::kernel_thread;
}

// The pieces of threads in the order of time. A call that was cut, where the data came or where its thread began to
// copy, is two neighbours or more.
std::vector<Piece> in_time(const Lane& lane) {
  std::vector<Piece> pieces;
  for (const auto& piece : lane.pieces) {
    if (lane.rows[piece.row] != Row::order) pieces.push_back(piece);
  }
  std::ranges::stable_sort(pieces, {}, &Piece::from_us);
  return pieces;
}

bool follows(const Piece& next, const Piece& piece) {
  const bool one_call = !piece.call.empty() && next.call == piece.call && next.where == piece.where;
  return one_call && next.row == piece.row && next.from_us == piece.to_us;
}

bool continues(const Piece& piece, const std::vector<Piece>& pieces) {
  return std::ranges::any_of(pieces, [&](const Piece& other) { return &other != &piece && follows(other, piece); });
}

bool is_continued(const Piece& piece, const std::vector<Piece>& pieces) {
  return std::ranges::any_of(pieces, [&](const Piece& other) { return &other != &piece && follows(piece, other); });
}

std::string moment(double at_us) {
  return fmt::format("{}{}", at_us < 0 ? "−" : at_us > 0 ? "+" : "", with_thousands(std::abs(at_us), 1));
}

}  // namespace

std::vector<Rung> rungs_of(const Lane& lane) {
  std::vector<Rung> rungs;
  const auto pieces = in_time(lane);
  const auto serving = serving_row(lane);
  for (const auto& piece : pieces) {
    const bool hidden = is_hidden(lane.rows[piece.row]);
    const bool anothers = lane.rows[piece.row] == Row::thread && piece.row != serving;
    const auto add = [&](Step step, double at_us, const std::string& text) {
      const auto said = anothers ? recorded("ladder.another_thread", {{"step", text}}) : text;
      rungs.push_back({step, at_us, piece.doing, said, piece.where, hidden});
    };
    if (piece.call.empty()) {
      if (piece.doing == Doing::work || piece.doing == Doing::copy) {
        const auto key = piece.doing == Doing::work ? "ladder.work" : "ladder.copies";
        add(Step::within, piece.from_us, recorded(key, {{"us", three_digits(piece.length_us())}}));
      }
      if (hidden && piece.doing == Doing::unknown) add(Step::within, piece.from_us, recorded("ladder.begins_to_copy"));
      continue;
    }
    if (piece.is_run) {
      add(Step::call, piece.from_us, recorded("ladder.in_vain", {{"call", piece.call}, {"times", piece.repeat}}));
      continue;
    }
    if (!is_continued(piece, pieces)) add(Step::call, piece.from_us, recorded("ladder.call", {{"call", piece.call}}));
    // What ends with the answer was cut there, or is asleep again.
    const bool goes_on = !hidden && piece.to_us >= lane.answered_us;
    if (continues(piece, pieces) || goes_on || !piece.result) continue;
    add(Step::returns, piece.to_us,
        recorded("ladder.returns", {{"call", piece.call}, {"result", std::to_string(*piece.result)}}));
  }
  const bool bounded = lane.border == Border::at_most;
  rungs.push_back({bounded ? Step::sent : Step::arrives, 0, Doing::notice,
                   recorded(bounded ? "ladder.sent" : "ladder.arrives"), ""});
  rungs.push_back({Step::arrives, lane.answered_us, Doing::reply, recorded("ladder.answered"), ""});
  std::ranges::stable_sort(rungs, {}, &Rung::at_us);
  return rungs;
}

std::vector<std::string> columns_of(const Lane& lane) {
  std::vector<std::string> columns{recorded("ladder.application"), recorded("ladder.kernel")};
  const auto hidden = std::ranges::find_if(lane.rows, is_hidden);
  if (hidden == lane.rows.end()) return columns;
  columns.push_back(recorded(*hidden == Row::helper ? "ladder.helper" : "ladder.kernel_thread"));
  return columns;
}

std::vector<Span> spans_of(const Lane& lane, const std::vector<Rung>& rungs) {
  std::vector<Span> spans;
  const auto at = [&](double us) {
    const auto rung = std::ranges::lower_bound(rungs, us, {}, &Rung::at_us);
    return std::min(static_cast<std::size_t>(rung - rungs.begin()), rungs.size() - 1);
  };
  const auto add = [&](double from_us, double to_us, Doing doing) {
    if (to_us <= from_us) return;
    spans.push_back(
        {at(from_us), at(to_us), doing,
         recorded(fmt::format("ladder.span_{}", name(doing)), {{"us", with_thousands(to_us - from_us, 1)}})});
  };
  const auto first = std::ranges::find_if(rungs, [](const Rung& rung) { return rung.at_us < 0 && !rung.hidden; });
  // What was there of a long request is copied before its last byte comes: the wait goes on after that.
  if (first != rungs.end()) {
    const auto waits = lane.asks() ? Doing::spinning : Doing::blocked;
    double since = first->at_us;
    for (const auto& piece : in_time(lane)) {
      if (piece.doing != Doing::copy || piece.from_us >= 0 || is_hidden(lane.rows[piece.row])) continue;
      add(since, piece.from_us, waits);
      since = std::max(since, piece.to_us);
    }
    add(since, 0, waits);
  }
  constexpr std::array kTold{Doing::unknown,        Doing::notice,        Doing::copy,          Doing::wake_and_copy,
                             Doing::awake_and_copy, Doing::copied_inside, Doing::copied_for_us, Doing::task_work,
                             Doing::work,           Doing::broker_waits};
  for (const auto& piece : in_time(lane)) {
    if (is_hidden(lane.rows[piece.row])) continue;  // it has steps, and no margin
    const bool told = std::ranges::find(kTold, piece.doing) != kTold.end();
    const bool is_in_it = piece.from_us >= 0 || piece.doing == Doing::copy;
    if (told && is_in_it && piece.from_us < lane.answered_us) add(piece.from_us, piece.to_us, piece.doing);
  }
  return spans;
}

namespace {

std::string_view name(Step step) {
  switch (step) {
    case Step::call: return "call";
    case Step::returns: return "returns";
    case Step::arrives: return "arrives";
    case Step::sent: return "sent";
    case Step::within: return "within";
  }
  return "";
}

// Between the texts of the application and the line of the kernel.
std::string_view arrow_of(const Rung& rung) {
  if (rung.hidden) return "        │";
  switch (rung.step) {
    case Step::call: return " ─────▶ │";
    case Step::returns: return " ◀───── │";
    case Step::arrives: return " · · · ·│";
    case Step::sent:
    case Step::within: break;
  }
  return "        │";
}

// Right of the kernel's line.
std::string hidden_side(const Rung& rung, const std::string& said) {
  if (!rung.hidden) return {};
  return (rung.step == Step::call ? " ◀───── " : rung.step == Step::returns ? " ─────▶ " : "        ") + said;
}

}  // namespace

Json ladder_chart(const Lane& lane, const StripSubject& subject) {
  const auto rungs = rungs_of(lane);
  Json columns = Json::array();
  for (const auto& column : columns_of(lane)) columns.push_back(Json::object({{"label", column}}));
  Json steps = Json::array();
  for (const auto& rung : rungs) {
    steps.push_back({{"kind", name(rung.step)},
                     {"at_us", rung.at_us},
                     {"at", moment(rung.at_us)},
                     {"state", name(rung.doing)},
                     {"column", rung.hidden ? 2 : 0},
                     {"text", rung.text},
                     {"where", rung.where},
                     {"source", source_line(rung.where)}});
  }
  Json phases = Json::array();
  for (const auto& span : spans_of(lane, rungs)) {
    phases.push_back({{"first", span.first}, {"last", span.last}, {"state", name(span.doing)}, {"text", span.text}});
  }
  const auto title = recorded("ladder.title", {{"model", lane.series}});
  return {{"id", fmt::format("{}-{}", subject.id, lane.series)},
          {"kind", "ladder"},
          {"series", lane.series},
          {"title", title},
          {"subtitle", subtitle_of(subject, with_thousands(lane.requests))},
          {"alt", recorded("ladder.alt", {{"title", title}})},
          {"columns", columns},
          {"states", doing_states()},
          {"steps", steps},
          {"phases", phases}};
}

std::string ladder_text(const Words& words, const Lane& lane, const Terminal& terminal) {
  if (!lane.missing.empty()) return fmt::format("  {}: {}\n", lane.series, words.retold(lane.missing));
  const auto rungs = rungs_of(lane);
  const auto spans = spans_of(lane, rungs);
  std::size_t widest = 0;
  for (const auto& rung : rungs) {
    if (!rung.hidden) widest = std::max(widest, display_width(words.retold(rung.text)));
  }
  constexpr std::size_t kMoment = 12;
  constexpr std::size_t kArrow = 8;
  const auto columns = columns_of(lane);
  std::string text = fmt::format("  {}{}{}│ {}", std::string(kMoment + 2, ' '),
                                 padded(bold(terminal, words.retold(columns[0])), widest), std::string(kArrow, ' '),
                                 words.retold(columns[1]));
  text += columns.size() > 2 ? fmt::format("  {}\n", bold(terminal, words.retold(columns[2]))) : "\n";
  for (std::size_t i = 0; i < rungs.size(); ++i) {
    const auto& rung = rungs[i];
    const auto said = words.retold(rung.text);
    std::string margin;
    for (const auto& span : spans) {
      if (span.first == i) margin += (margin.empty() ? "" : ", ") + words.retold(span.text);
    }
    text += fmt::format("  {}  {}{}{} {}\n", padded(moment(rung.at_us), kMoment, true),
                        padded(rung.hidden ? "" : said, widest), arrow_of(rung), hidden_side(rung, said), margin);
  }
  return text;
}

}  // namespace iolab::lab
