// The JSON Schema of experiment files (draft 2020-12), made from the table of keys, so that editors complete keys, show
// what they mean and underline mistakes. `experiments/schema/experiment-1.json` is what `iolab spec schema` prints.
//
// A schema cannot say everything: not the range of "3s", no condition between keys, no key that appears twice. Whatever
// it accepts is still to be checked by `iolab spec validate`; whatever it refuses, that refuses too.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace iolab::lab {

// `models`: the ids that may be named.
nlohmann::ordered_json spec_schema(const std::vector<std::string>& models);

}  // namespace iolab::lab
