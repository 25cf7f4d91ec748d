#include "experiments/machine/ceilings_json.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

double number_from(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_number() ? found->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

Json ceilings_json(const std::vector<Ceiling>& ceilings) {
  Json object = Json::object();
  for (const auto& ceiling : ceilings) {
    object[ceiling.id] = {{"label", ceiling.label},
                          {"unit", ceiling.unit},
                          {"meaning", ceiling.meaning},
                          {"value", number(ceiling.value)},
                          {"low", number(ceiling.low)},
                          {"high", number(ceiling.high)},
                          {"repetitions", ceiling.repetitions},
                          {"reason", ceiling.reason}};
  }
  return object;
}

std::vector<Ceiling> ceilings_from(const Json& object) {
  std::vector<Ceiling> list;
  for (const auto& [id, entry] : object.items()) {
    list.push_back({.id = id,
                    .label = entry.value("label", id),
                    .unit = entry.value("unit", ""),
                    .value = number_from(entry, "value"),
                    .meaning = entry.value("meaning", ""),
                    .low = number_from(entry, "low"),
                    .high = number_from(entry, "high"),
                    .repetitions = entry.value("repetitions", 1),
                    .reason = entry.value("reason", "")});
  }
  return list;
}

Json ceilings_json(const std::vector<CeilingsBetween>& between) {
  Json list = Json::array();
  for (const auto& moment : between) {
    list.push_back({{"after_trial", moment.after_trial},
                    {"after_duets", moment.after_duets},
                    {"values", ceilings_json(moment.values)}});
  }
  return list;
}

std::vector<CeilingsBetween> ceilings_between_from(const Json& list) {
  std::vector<CeilingsBetween> between;
  for (const auto& moment : list) {
    between.push_back(
        {moment.at("after_trial").get<int>(), moment.value("after_duets", 0), ceilings_from(moment.at("values"))});
  }
  return between;
}

}  // namespace iolab::lab
