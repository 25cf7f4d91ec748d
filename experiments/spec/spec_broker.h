// What only the broker knows of a spec: its properties, and the options of its models. It is asked, value by value, so
// that its own table decides and its own sentence is shown, at the line that it is about.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiments/spec/spec_conditions.h"

namespace iolab::lab {

// The broker's default for a topic's property, under which a spec's topic_config is passed on: a topic of the lab is
// created with nothing but defaults.
std::string broker_name_of_topic_property(const std::string& name);

// `root` with profile and settings, without defaults. What is of a wrong kind, or of an unknown model, is passed over:
// it has been complained of.
void check_with_broker(const nlohmann::ordered_json& root, const AskBroker& ask,
                       const std::vector<std::string>& known_models, const Complain& complain);

// The same of a probe, for every model at every level.
void check_with_probe(const Spec& spec, const AskBroker& ask, const Complain& complain);

}  // namespace iolab::lab
