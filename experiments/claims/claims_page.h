// What the page of claims is drawn from: claims.json and claims.zh.json (scripts/claims.py computes nothing).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiments/claims/figures.h"

namespace iolab::lab {

struct UsedRun {
  std::string name;
  std::string path;  // as seen from the page
  const Results* results = nullptr;
};

// "true only if the caches are left aside"
std::string ruling_text(const Words& words, const Judged& judged);

// A table in Markdown: what was expected before the runs, and what came out; surprises first.
std::string claims_summary(const std::vector<Judged>& all);

nlohmann::ordered_json claims_page(const Words& words, const std::vector<Judged>& all,
                                   const std::vector<UsedRun>& runs);

}  // namespace iolab::lab
