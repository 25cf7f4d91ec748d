// What this machine can be asked, found out in about three seconds without changing anything: the facts, the limits,
// the models, the ceilings, how noisy it is, and what follows from all that for the experiments.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiments/machine/ceilings.h"
#include "experiments/machine/environment.h"
#include "experiments/machine/models.h"

namespace iolab::lab {

struct Diagnosis {
  Machine machine;
  CpuPair cpus;
  Limits limits;
  DiskSpace disk;  // of the working directory, where runs go
  std::vector<ModelInfo> models;
  std::string models_error;  // why the list is empty
  std::vector<Ceiling> ceilings;
  NoiseHint noise;
  double load = 0;
  std::string python;        // interpreter with matplotlib, or empty
  std::string python_error;  // the package to install
  struct Experiment {
    std::string name;
    std::string remark;  // what of it cannot run here; empty: all of it can
    bool runs = true;
    std::size_t cells = 0;
    std::vector<std::pair<std::string, std::string>> not_run;  // model and reason, each pair once
  };
  std::vector<Experiment> experiments;
  std::vector<std::string> cannot_answer;  // whatever is run here
  std::vector<std::string> advice;
};

Diagnosis examine(const OwnBinary& binary);
std::string to_text(const Diagnosis& diagnosis, int width);
nlohmann::ordered_json to_json(const Diagnosis& diagnosis);

// Questions that a machine with so few CPUs cannot answer, however long it measures.
std::vector<std::string> cannot_answer_with(std::size_t cpus);

// What follows for the user; apart, so that it can be tested with machines that are not at hand.
std::vector<std::string> advice_for(const Diagnosis& diagnosis);

}  // namespace iolab::lab
