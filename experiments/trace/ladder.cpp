#include "experiments/trace/ladder.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

// The pieces of threads in the order of time. A call that was cut where the data came is two neighbours.
std::vector<Piece> in_time(const Lane& lane) {
  std::vector<Piece> pieces;
  for (const auto& piece : lane.pieces) {
    if (lane.rows[piece.row] == Row::thread) pieces.push_back(piece);
  }
  std::ranges::stable_sort(pieces, {}, &Piece::from_us);
  return pieces;
}

bool continues(const Piece& piece, const std::vector<Piece>& pieces) {
  return std::ranges::any_of(pieces, [&](const Piece& other) {
    return &other != &piece && other.row == piece.row && other.from_us == piece.to_us && other.call == piece.call &&
           piece.doing == Doing::blocked && !piece.call.empty();
  });
}

bool is_continued(const Piece& piece, const std::vector<Piece>& pieces) {
  return std::ranges::any_of(pieces, [&](const Piece& other) {
    return &other != &piece && other.row == piece.row && other.to_us == piece.from_us && other.call == piece.call &&
           other.doing == Doing::blocked && !piece.call.empty();
  });
}

std::string moment(double at_us) {
  return fmt::format("{}{}", at_us < 0 ? "−" : at_us > 0 ? "+" : "", with_thousands(std::abs(at_us), 1));
}

}  // namespace

std::vector<Rung> rungs_of(const Lane& lane) {
  std::vector<Rung> rungs;
  const auto pieces = in_time(lane);
  const auto returned = [](const Piece& piece) {
    return recorded("ladder.returns", {{"call", piece.call}, {"result", std::to_string(piece.result)}});
  };
  for (const auto& piece : pieces) {
    if (piece.call.empty()) {
      if (piece.doing != Doing::work) continue;
      rungs.push_back({Step::within, piece.from_us, piece.doing,
                       recorded("ladder.work", {{"us", three_digits(piece.length_us())}}), ""});
      continue;
    }
    if (piece.doing == Doing::spinning) {
      rungs.push_back({Step::call, piece.from_us, piece.doing,
                       recorded("ladder.in_vain", {{"call", piece.call}, {"times", piece.repeat}}), piece.where});
      continue;
    }
    if (!is_continued(piece, pieces)) {
      rungs.push_back(
          {Step::call, piece.from_us, piece.doing, recorded("ladder.call", {{"call", piece.call}}), piece.where});
    }
    const bool asleep_again = piece.to_us > lane.answered_us;
    if (continues(piece, pieces) || asleep_again) continue;
    rungs.push_back({Step::returns, piece.to_us, piece.doing, returned(piece), piece.where});
  }
  const auto arrives = lane.border == Border::exact ? "ladder.arrives" : "ladder.sent";
  rungs.push_back({Step::arrives, 0, Doing::notice, recorded(arrives), ""});
  rungs.push_back({Step::arrives, lane.answered_us, Doing::reply, recorded("ladder.answered"), ""});
  std::ranges::stable_sort(rungs, {}, &Rung::at_us);
  return rungs;
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
  const auto first = std::ranges::find_if(rungs, [](const Rung& rung) { return rung.at_us < 0; });
  if (first != rungs.end()) add(first->at_us, 0, lane.asked_in_vain > 0 ? Doing::spinning : Doing::blocked);
  for (const auto& piece : in_time(lane)) {
    const bool told = piece.doing == Doing::notice || piece.doing == Doing::copy ||
                      piece.doing == Doing::wake_and_copy || piece.doing == Doing::copied_for_us ||
                      piece.doing == Doing::work;
    if (told && piece.from_us >= 0 && piece.from_us < lane.answered_us) add(piece.from_us, piece.to_us, piece.doing);
  }
  return spans;
}

Json ladder_chart(const Lane& lane, const StripSubject& subject) {
  const auto rungs = rungs_of(lane);
  Json steps = Json::array();
  for (const auto& rung : rungs) {
    const auto kind = rung.step == Step::call      ? "call"
                      : rung.step == Step::returns ? "returns"
                      : rung.step == Step::arrives ? "arrives"
                                                   : "within";
    steps.push_back({{"kind", kind},
                     {"at_us", rung.at_us},
                     {"at", moment(rung.at_us)},
                     {"state", name(rung.doing)},
                     {"text", rung.text},
                     {"where", rung.where}});
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
          {"subtitle", subtitle_of(subject, lane.requests)},
          {"alt", recorded("ladder.alt", {{"title", title}})},
          {"columns", Json::array({recorded("ladder.application"), recorded("ladder.kernel")})},
          {"states", doing_states()},
          {"steps", steps},
          {"phases", phases}};
}

std::string ladder_text(const Words& words, const Lane& lane, const Terminal& terminal) {
  if (!lane.missing.empty()) return fmt::format("  {}: {}\n", lane.series, words.retold(lane.missing));
  const auto rungs = rungs_of(lane);
  const auto spans = spans_of(lane, rungs);
  std::size_t widest = 0;
  for (const auto& rung : rungs) widest = std::max(widest, display_width(words.retold(rung.text)));
  constexpr std::size_t kMoment = 12;
  constexpr std::size_t kArrow = 8;
  std::string text = fmt::format("  {}{}{}│ {}\n", std::string(kMoment + 2, ' '),
                                 padded(bold(terminal, words.retold(recorded("ladder.application"))), widest),
                                 std::string(kArrow, ' '), words.retold(recorded("ladder.kernel")));
  for (std::size_t i = 0; i < rungs.size(); ++i) {
    const auto& rung = rungs[i];
    const auto said = padded(words.retold(rung.text), widest);
    const std::string_view arrow = rung.step == Step::call      ? " ─────▶ │"
                                   : rung.step == Step::returns ? " ◀───── │"
                                   : rung.step == Step::arrives ? " · · · ·│"
                                                                : "        │";
    std::string margin;
    for (const auto& span : spans) {
      if (span.first == i) margin += (margin.empty() ? "" : ", ") + words.retold(span.text);
    }
    text += fmt::format("  {}  {}{} {}\n", padded(moment(rung.at_us), kMoment, true), said, arrow, margin);
  }
  return text;
}

}  // namespace iolab::lab
