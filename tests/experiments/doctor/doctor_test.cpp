// What doctor concludes of machines that are not at hand. A failure here is a reader who measures for an hour what this
// machine cannot tell, or who is sent to mend what is in order.
#include "experiments/doctor/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

namespace iolab::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Eight CPUs, quiet, with room for everything: nothing to advise.
Diagnosis a_fit_machine() {
  Diagnosis d;
  d.machine = {.cpu_model = "made up",
               .cpus = {0, 1, 2, 3, 4, 5, 6, 7},
               .memory_bytes = std::uint64_t{16} << 30,
               .available_bytes = std::uint64_t{8} << 30,
               .kernel = "Linux 6.12",
               .virtualisation = "",
               .governor = "performance"};
  d.cpus = {0, 1};
  d.limits.descriptors_soft = 1024;
  d.limits.descriptors_hard = 1'000'000;
  d.disk = {.total = 100, .available = 50, .type = "ext4"};
  d.python = "python3";
  return d;
}

TEST(Doctor, FewCpusLeaveQuestionsWithoutAnAnswer) {
  SCOPED_TRACE("a question that this machine cannot answer is measured all the same, or one that it can is ruled out");
  const auto threads = HasSubstr("what more serving threads gain");
  const auto helpers = HasSubstr("what a thread of the kernel or of a library takes off a model");
  const auto cores = HasSubstr("how anything scales over many cores");
  EXPECT_THAT(cannot_answer_with(1), ElementsAre(HasSubstr("take turns on one CPU"), threads, helpers, cores));
  for (const std::size_t cpus : {2, 3}) EXPECT_THAT(cannot_answer_with(cpus), ElementsAre(threads, helpers, cores));
  for (const std::size_t cpus : {4, 7}) EXPECT_THAT(cannot_answer_with(cpus), ElementsAre(cores));
  EXPECT_THAT(cannot_answer_with(8), IsEmpty());
}

TEST(Doctor, WhatCannotBeAnsweredIsPrinted) {
  SCOPED_TRACE("doctor knows what a machine cannot tell, and keeps it to itself");
  auto diagnosis = a_fit_machine();
  EXPECT_THAT(to_text(diagnosis, 500), Not(HasSubstr("Cannot say")));
  diagnosis.cannot_answer = cannot_answer_with(1);
  EXPECT_THAT(to_text(diagnosis, 500), HasSubstr("\nCannot say how fast a model is: server and load take turns"));
  const auto json = to_json(diagnosis);
  EXPECT_EQ(json["cannot_answer"].size(), 4u);
}

TEST(Doctor, AnExperimentThatCannotRunWholeSaysWhy) {
  SCOPED_TRACE("a class prepares an experiment that runs in part or not at all, and is not told the reason");
  auto diagnosis = a_fit_machine();
  diagnosis.experiments = {
      {.name = "few-busy", .remark = "", .cells = 6, .not_run = {}},
      {.name = "idle-tax", .remark = "2 of 5 cells; not epoll: too few files", .cells = 5, .not_run = {}},
      {.name = "uring-ladder",
       .remark = "nothing of it; not io_uring: forbidden here",
       .runs = false,
       .cells = 3,
       .not_run = {{"io_uring", "forbidden here"}}}};
  const auto text = to_text(diagnosis, 500);
  EXPECT_THAT(text, HasSubstr("\nCan run    first-look · few-busy\n"));
  EXPECT_THAT(text, HasSubstr("\n           idle-tax: 2 of 5 cells; not epoll: too few files\n"));
  EXPECT_THAT(text, HasSubstr("\nCannot run uring-ladder: nothing of it; not io_uring: forbidden here\n"));
  const auto last = to_json(diagnosis)["experiments"][2];
  EXPECT_EQ(last["runs"], false);
  EXPECT_EQ(last["not_run"][0]["series"], "io_uring");
  EXPECT_EQ(last["not_run"][0]["reason"], "forbidden here");
}

TEST(Doctor, EachFlawOfAMachineHasItsAdvice) {
  SCOPED_TRACE("a flaw that spoils figures is passed over, or a sound machine is found fault with");
  EXPECT_THAT(advice_for(a_fit_machine()), IsEmpty());
  const std::vector<std::pair<std::string, std::function<void(Diagnosis&)>>> flaws{
      {"one CPU only: server and load share it", [](Diagnosis& d) { d.cpus = {0, 0}; }},
      {"on battery", [](Diagnosis& d) { d.machine.on_battery = true; }},
      {"governor is powersave", [](Diagnosis& d) { d.machine.governor = "powersave"; }},
      {"a virtual machine", [](Diagnosis& d) { d.machine.virtualisation = "virtual machine"; }},
      {"(steal)", [](Diagnosis& d) { d.noise.steal = 0.05; }},
      {"noisy right now", [](Diagnosis& d) { d.noise.spread = 0.3; }},
      {"other programs are busy", [](Diagnosis& d) { d.load = 5; }},
      {"open files are limited to 256", [](Diagnosis& d) { d.limits.descriptors_hard = 256; }},
      {"less than 1 GiB of memory", [](Diagnosis& d) { d.machine.available_bytes = 1 << 20; }},
      {"more than 80 % full", [](Diagnosis& d) { d.disk.available = 10; }},
      {"tmpfs", [](Diagnosis& d) { d.disk.type = "tmpfs"; }},
      {"(9p)", [](Diagnosis& d) { d.disk.type = "9p"; }},
      {"install matplotlib", [](Diagnosis& d) { d.python_error = "install matplotlib"; }},
  };
  for (const auto& [advice, spoil] : flaws) {
    auto diagnosis = a_fit_machine();
    spoil(diagnosis);
    EXPECT_THAT(advice_for(diagnosis), ElementsAre(HasSubstr(advice)));
  }
}

}  // namespace
}  // namespace iolab::lab
