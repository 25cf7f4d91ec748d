// Where the files lie that the binary needs and does not hold: experiments/*.json, their schema and scripts/report.py.
// Looked for around the working directory, around the binary, and where the source lay when it was built.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace iolab::lab {

struct ExperimentFile {
  std::string name;  // "few-busy"
  std::string path;
};
std::vector<ExperimentFile> find_experiments();  // by name

// NAME of an experiment, or a path to a file (it holds a slash or ends in .json). The error names the nearest.
std::expected<std::string, std::string> find_experiment(const std::string& name_or_path);

std::optional<std::string> find_report_script();
std::optional<std::string> find_claims_script();
std::optional<std::string> find_claims();  // claims.json
std::optional<std::string> find_schema();  // of experiment files, for editors

// The command of an interpreter that can import matplotlib: $IOLAB_PYTHON, python3, /usr/bin/python3. The error names
// the package to install.
std::expected<std::string, std::string> find_python();

}  // namespace iolab::lab
