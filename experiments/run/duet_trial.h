// One duet: the baseline and one model, both started fresh on one CPU, the load alternating between them in slices of
// 10 ms (clients/duet.h says why). The pair of processes is the replicate; what a duet says of a model is one ratio.
//
// Servers that spin when they have nothing to do are stopped during the other's slices.
#pragma once

#include <cstdint>
#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "experiments/machine/models.h"
#include "experiments/run/trial.h"

namespace iolab::lab {

struct DuetRecord {
  int index = 0;
  int round = 0;
  int session = 0;  // of the run, counted from 0
  std::string series;
  std::string level;
  bool ok = false;
  std::string reason;
  std::string started;
  double cpu_ratio = 0;  // server CPU per request, model to baseline: median over the pairs of slices
  double cpu_ratio_low = 0;
  double cpu_ratio_high = 0;
  double rate_ratio = 0;  // requests per second, model to baseline
  std::uint64_t answered_baseline = 0;
  std::uint64_t answered_model = 0;
  MachineReading machine;  // from the start of its processes to their end
};

nlohmann::ordered_json to_json(const DuetRecord& record);
std::expected<DuetRecord, std::string> duet_from_json(std::string_view text);

// `together`: planned duets of one group; a record for each, in their order. The error "interrupted" means that the
// user stopped it: no record. Any other failure is a record with a reason.
std::expected<std::vector<DuetRecord>, std::string> run_duet_group(const TrialSetup& setup, const Spec& spec,
                                                                   const Plan& plan,
                                                                   const std::vector<ModelInfo>& models,
                                                                   std::span<const PlannedDuet> together);

}  // namespace iolab::lab
