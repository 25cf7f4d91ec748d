#include "experiments/spec/spec_fields.h"

#include <fmt/format.h>

#include "experiments/words/nearest_word.h"

namespace iolab::lab {
namespace {

using enum FieldKind;

// clang-format off: one key is one paragraph, the English line above the Chinese one.
constexpr std::array kFields{
    Field{.path = "$schema", .kind = text,
          .summary = "where editors find the schema of this file; not read here",
          .summary_zh = "供编辑器查找本文件的 schema；程序不读",
          .example = "\"./schema/experiment-1.json\""},
    Field{.path = "version", .kind = integer,
          .summary = "the version of this format, which is 1",
          .summary_zh = "本格式的版本，即 1",
          .low = 1, .high = 1, .required = true, .example = "1"},
    Field{.path = "name", .kind = name,
          .summary = "lower-case words joined by hyphens; also the name of the run",
          .summary_zh = "小写单词，以连字符相连；也是运行的名字",
          .required = true, .example = "\"my-idle-tax\""},
    Field{.path = "question", .kind = prose,
          .summary = "what the run is to answer, one sentence",
          .summary_zh = "这次运行要回答的问题，一句话",
          .required = true, .example = "\"Why does select collapse with idle connections?\""},
    Field{.path = "background", .kind = prose,
          .summary = "what a reader should know first",
          .summary_zh = "读者应当先知道的事",
          .default_text = "\"\""},
    Field{.path = "predict", .kind = predictions,
          .summary = "2 to 4 short answers, of which a reader picks one before looking",
          .summary_zh = "2 到 4 个简短的答案，读者在看结果之前选一个",
          .example = R"([{"en": "it grows", "zh": "会增长"}, {"en": "it stays level", "zh": "保持不变"}])"},
    Field{.path = "expected", .kind = prose,
          .summary = "what you expect to see, written down before the run",
          .summary_zh = "预期看到什么，在运行之前写下",
          .example = R"("select gets dearer with every idle connection, epoll does not")"},
    Field{.path = "refuted_by", .kind = prose,
          .summary = "which result would show that the expectation is wrong",
          .summary_zh = "什么样的结果会推翻这个预期",
          .example = R"("select at 900 idle connections costs as much as at none")"},
    Field{.path = "refuted_when", .kind = refutation,
          .summary = "the same in figures, each with a border: all of a list must hold, or one of {\"any\": [...]}; "
                     "shares as 0.05, ratios to another cell with \"against\"",
          .summary_zh = "用数字写出同样的话，每个带一个边界：列表须全部成立，{\"any\": [...]} 只需一个；份额写作 0.05，"
                        "与另一单元的比值用 \"against\"",
          .example = R"([{"cell": "select/idle_connections=900", "metric": "server_cpu_us_per_request", )"
                     R"("against": "epoll/idle_connections=900", "below": 1.02}])"},
    Field{.path = "models", .kind = models,
          .summary = "which models, \"id\" or \"id:option=value\"; absent: all",
          .summary_zh = "用哪些模型，写作 \"id\" 或 \"id:option=value\"；不写则全部",
          .example = R"(["select", "epoll"])"},
    Field{.path = "variants", .kind = variants,
          .summary = "models once more: name -> {model, broker: its own properties, threads: its own}; or "
                     "{bootstrap_servers} of a broker that runs already",
          .summary_zh = "同一模型的另一份：名字 -> {model, broker: 自己的属性, threads: 自己的线程数}；"
                        "或者已在运行的 broker：{bootstrap_servers}",
          .default_text = "{}", .example = R"({"epoll-b": {"model": "epoll"}})"},
    Field{.path = "baseline", .kind = model,
          .summary = "the model of every ratio, entered a second time to see the noise; it is run even if \"models\" "
                     "lacks it",
          .summary_zh = "一切比值的基准模型；再参加一次，以看出噪声；即使 models 里没有它也会运行",
          .default_text = "\"epoll\""},
    Field{.path = "threads", .kind = integer,
          .summary = "serving threads; 0: the model's own default",
          .summary_zh = "服务线程数；0：模型自己的默认值",
          .default_text = "0", .high = 1024},
    Field{.path = "target", .kind = object,
          .summary = "a broker that runs already: no server of ours is started, and nothing is said about models",
          .summary_zh = "已在运行的 broker：不启动我们自己的服务器，也不谈模型"},
    Field{.path = "target.bootstrap_servers", .kind = address,
          .summary = "its address, HOST:PORT", .summary_zh = "它的地址，HOST:PORT",
          .required = true, .example = "\"127.0.0.1:9092\""},
    Field{.path = "path", .kind = choice,
          .summary = "the way between load and server: loopback, or veth with packets of Ethernet's size (needs root)",
          .summary_zh = "负载与服务器之间的路径：loopback，或以太网大小分组的 veth（需要 root）",
          .default_text = "\"loopback\"", .choices = "loopback|veth"},
    Field{.path = "watch", .kind = metrics,
          .summary = "the metrics to show, the most telling first",
          .summary_zh = "要显示的指标，最能说明问题的在前",
          .default_text = R"(["server_cpu_us_per_request", "requests_per_s", "latency_p99_us"])"},
    Field{.path = "focus", .kind = models,
          .summary = "the models that the question names: compared with the baseline level by level",
          .summary_zh = "问题所指的模型：逐级与基准比较",
          .example = R"(["select"])"},
    Field{.path = "workload", .kind = object,
          .summary = "what the load generator does", .summary_zh = "负载发生器做什么"},
    Field{.path = "workload.kind", .kind = choice,
          .summary = "produce or fetch", .summary_zh = "写入（produce）或读取（fetch）",
          .default_text = "\"produce\"", .choices = "produce|fetch"},
    Field{.path = "workload.connections", .kind = integer,
          .summary = "connections that send requests", .summary_zh = "发送请求的连接数",
          .default_text = "16", .low = 1, .high = 20'000},
    Field{.path = "workload.idle_connections", .kind = integer,
          .summary = "connections that are open and silent", .summary_zh = "开着但不说话的连接数",
          .default_text = "0", .high = 100'000, .example = "1000"},
    Field{.path = "workload.stalled_connections", .kind = integer,
          .summary = "connections that ask until nothing more goes out, and never read an answer",
          .summary_zh = "不断请求直到发不出去、却从不读取应答的连接数",
          .default_text = "0", .high = 1000, .example = "1"},
    Field{.path = "workload.cold_readers", .kind = integer,
          .summary = "clients beside the load that fetch old records, which only the disk has",
          .summary_zh = "负载之外读取旧记录的客户端数，这些记录只在磁盘上",
          .default_text = "0", .high = 16, .example = "1"},
    Field{.path = "workload.in_flight", .kind = integer,
          .summary = "requests outstanding on each connection, at most",
          .summary_zh = "每个连接上最多有多少个未应答的请求",
          .default_text = "1", .low = 1, .high = 1000},
    Field{.path = "workload.record_size", .kind = size,
          .summary = "value of each record", .summary_zh = "每条记录的值有多大",
          .default_text = "\"100B\"", .low = 1, .high = 16e6},
    Field{.path = "workload.records_per_batch", .kind = integer,
          .summary = "records in each request", .summary_zh = "每个请求中的记录数",
          .default_text = "1", .low = 1, .high = 100'000},
    Field{.path = "workload.partitions", .kind = integer,
          .summary = "of the topic; connection i uses partition i modulo this",
          .summary_zh = "主题的分区数；第 i 个连接使用分区 i 模此数",
          .default_text = "1", .low = 1, .high = 1000},
    Field{.path = "workload.prefill", .kind = size,
          .summary = "fetch: what each partition holds before the load starts",
          .summary_zh = "fetch：负载开始之前每个分区里已有的数据",
          .default_text = "\"4MiB\"", .low = 1, .high = 16e9},
    Field{.path = "workload.arrivals", .kind = object,
          .summary = "when requests fall due", .summary_zh = "请求何时到期"},
    Field{.path = "workload.arrivals.mode", .kind = choice,
          .summary = "closed: the next request follows the answer; open: a fixed rate",
          .summary_zh = "closed：得到应答才发下一个；open：固定速率",
          .default_text = "\"closed\"", .choices = "closed|open"},
    Field{.path = "workload.arrivals.rate", .kind = rate,
          .summary = "open: requests per second over all connections",
          .summary_zh = "open：所有连接合计每秒的请求数",
          .example = "\"20000/s\""},
    Field{.path = "probe", .kind = text,
          .summary = "a small program in place of broker and load (iolab probe lists them): each trial runs it once",
          .summary_zh = "用一个小程序代替 broker 和负载（iolab probe 列出它们）：每次试验运行一次",
          .example = "\"meanwhile\""},
    Field{.path = "probe_config", .kind = properties,
          .summary = "settings of the probe", .summary_zh = "小程序的设置",
          .default_text = "{}", .example = R"({"pause.ms": 10})"},
    Field{.path = "workload.stall", .kind = duration,
          .summary = "in the middle of the window the server is stopped for so long, once",
          .summary_zh = "在窗口中间把服务器停住这么久，一次",
          .default_text = "\"0s\"", .high = 60e3, .example = "\"200ms\""},
    Field{.path = "matrix", .kind = matrix,
          .summary = "what varies besides the model: path -> list of values; every combination is run",
          .summary_zh = "除模型以外变化的量：路径 -> 值的列表；每种组合都运行",
          .default_text = "{}", .example = R"({"workload.idle_connections": [0, 100, 900]})"},
    Field{.path = "exclude", .kind = exclusions,
          .summary = "what is not run, and why", .summary_zh = "不运行什么，为什么",
          .default_text = "[]",
          .example = R"([{"models": ["select"], "when": "workload.connections > 1000", "because": "FD_SETSIZE"}])"},
    Field{.path = "broker", .kind = properties,
          .summary = "broker properties, by Kafka's names", .summary_zh = "broker 属性，用 Kafka 的名字",
          .default_text = "{}", .example = R"({"num.partitions": 4})"},
    Field{.path = "topic_config", .kind = properties,
          .summary = "topic properties, by Kafka's names", .summary_zh = "主题属性，用 Kafka 的名字",
          .default_text = "{}", .example = R"({"segment.bytes": 1048576})"},
    Field{.path = "producer", .kind = properties,
          .summary = "producer properties of the load generator: acks, compression.type; in an open loop linger.ms and "
                     "batch.size, and then the rate is one of records",
          .summary_zh = "负载发生器作为生产者的属性：acks、compression.type；开环时还有 linger.ms 和 batch.size，这时速率指记录数",
          .default_text = "{}", .choices = "acks|compression.type|linger.ms|batch.size",
          .example = R"({"acks": "all"})"},
    Field{.path = "consumer", .kind = properties,
          .summary = "of the load generator as a consumer: fetch.max.bytes, fetch.max.wait.ms",
          .summary_zh = "负载发生器作为消费者的属性：fetch.max.bytes、fetch.max.wait.ms",
          .default_text = "{}", .choices = "fetch.max.bytes|fetch.max.wait.ms",
          .example = R"({"fetch.max.wait.ms": 100})"},
    Field{.path = "timing", .kind = object, .summary = "how long, how often", .summary_zh = "多长时间，多少次"},
    Field{.path = "timing.warmup", .kind = duration,
          .summary = "before each window, not counted", .summary_zh = "每个窗口之前的预热，不计入",
          .default_text = "\"1s\"", .high = 600e3},
    Field{.path = "timing.measure", .kind = duration,
          .summary = "the window of a trial", .summary_zh = "一次试验的测量窗口",
          .default_text = "\"3s\"", .low = 50, .high = 3600e3},
    Field{.path = "timing.repeat", .kind = integer,
          .summary = "trials of each cell; fewer than 6 give no interval of 95 %",
          .summary_zh = "每个单元的试验次数；少于 6 次得不到 95 % 的区间",
          .default_text = "10", .low = 1, .high = 1000},
    Field{.path = "limits", .kind = object,
          .summary = "what a run may take from this machine", .summary_zh = "一次运行最多可以占用这台机器多少"},
    Field{.path = "limits.total", .kind = duration,
          .summary = "after this long no new trial is started", .summary_zh = "超过这个时间不再开始新的试验",
          .default_text = "\"20m\"", .low = 1000, .high = 86'400e3},
    Field{.path = "limits.connections", .kind = integer,
          .summary = "levels that ask for more, busy and idle together, are not run",
          .summary_zh = "要求更多连接（忙闲合计）的级别不运行",
          .default_text = "12000", .low = 1, .high = 200'000},
    Field{.path = "limits.memory", .kind = size,
          .summary = "a server may grow to this", .summary_zh = "服务器最多可以长到这么大",
          .default_text = "\"1GiB\"", .low = 16'777'216, .high = 1'099'511'627'776},
    Field{.path = "limits.trials", .kind = integer,
          .summary = "a plan of more trials is not run without --yes",
          .summary_zh = "计划的试验多于此数时，没有 --yes 不运行",
          .default_text = "500", .low = 1, .high = 1'000'000},
    Field{.path = "judge", .kind = object,
          .summary = "fixed before the run: which comparison counts, and how large a difference matters",
          .summary_zh = "在运行之前定下：哪个比较算数，多大的差别才要紧"},
    Field{.path = "judge.metric", .kind = metric,
          .summary = "one metric", .summary_zh = "一个指标",
          .required = true, .example = "\"server_cpu_us_per_request\""},
    Field{.path = "judge.better", .kind = choice,
          .summary = "lower or higher", .summary_zh = "越低（lower）或越高（higher）越好",
          .default_text = "\"lower\"", .choices = "lower|higher"},
    Field{.path = "judge.ignore_below", .kind = percent,
          .summary = "smaller differences do not matter", .summary_zh = "更小的差别无关紧要",
          .default_text = "\"5%\""},
    Field{.path = "judge.confidence", .kind = fraction,
          .summary = "of each interval", .summary_zh = "每个区间的置信度", .default_text = "0.95"},
    Field{.path = "judge.duets", .kind = integer,
          .summary = "pairs of processes for each model; 0: the trials judge",
          .summary_zh = "每个模型的进程对数；0：由试验来判断",
          .default_text = "0", .high = 1000, .example = "10"},
    Field{.path = "judge.slice", .kind = duration,
          .summary = "of a duet: how long the load stays with one side; 5 to 20 ms are proved",
          .summary_zh = "对奏中负载停留在一方的时间；5 到 20 毫秒经过验证",
          .default_text = "\"10ms\"", .low = 2, .high = 1000},
    Field{.path = "judge.slices", .kind = integer,
          .summary = "of each side of a duet", .summary_zh = "对奏中每一方的片数",
          .default_text = "150", .low = 10, .high = 100'000},
    Field{.path = "judge.side_by_side", .kind = integer,
          .summary = "of duets: models round robin against one baseline",
          .summary_zh = "对奏中轮流与同一个基准进程比较的模型数",
          .default_text = "1", .low = 1, .high = 100},
    Field{.path = "judge.at", .kind = text,
          .summary = "the level that is judged, by the name that its cells carry (iolab run --dry-run shows it); "
                     "absent: the last at which all that is judged can run",
          .summary_zh = "要判断的级别，用其单元所带的名字（iolab run --dry-run 会显示）；"
                        "不写则取所有被判断者都能运行的最后一个",
          .example = "\"idle_connections=900\""},
    Field{.path = "quick", .kind = part,
          .summary = "what replaces the above with --profile quick", .summary_zh = "--profile quick 时替换上面的内容",
          .example = R"({"timing": {"measure": "700ms", "repeat": 3}})"},
    Field{.path = "careful", .kind = part,
          .summary = "what replaces the above with --profile careful",
          .summary_zh = "--profile careful 时替换上面的内容",
          .example = R"({"timing": {"measure": "10s", "repeat": 20}})"},
};
// clang-format on

}  // namespace

std::span<const Field> spec_fields() {
  return kFields;
}

const Field* find_field(std::string_view path) {
  const auto found = std::ranges::find(kFields, path, &Field::path);
  return found == kFields.end() ? nullptr : &*found;
}

std::vector<std::string> choices_of(const Field& field) {
  std::vector<std::string> words;
  auto rest = field.choices;
  while (!rest.empty()) {
    const auto bar = rest.find('|');
    words.emplace_back(rest.substr(0, bar));
    rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
  }
  return words;
}

std::vector<std::string> keys_below(std::string_view path) {
  std::vector<std::string> keys;
  for (const auto& field : kFields) {
    auto rest = field.path;
    if (!path.empty()) {
      if (!rest.starts_with(path) || rest.size() <= path.size() || rest[path.size()] != '.') continue;
      rest.remove_prefix(path.size() + 1);
    }
    if (rest.find('.') == std::string_view::npos) keys.emplace_back(rest);
  }
  return keys;
}

std::expected<std::string, std::string> complete_path(const std::string& key) {
  if (find_field(key) != nullptr) return key;
  std::vector<std::string> candidates;
  for (const auto& field : kFields) {
    if (field.kind == properties && key.starts_with(fmt::format("{}.", field.path))) return key;
    candidates.emplace_back(field.path);
    const auto dot = field.path.rfind('.');
    if (dot == std::string_view::npos) continue;
    const auto word = field.path.substr(dot + 1);
    if (word == key) return std::string(field.path);
    candidates.emplace_back(word);
  }
  const auto near = nearest_word(key, candidates);
  return std::unexpected(near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

std::vector<std::string> axis_paths() {
  std::vector<std::string> paths;
  for (const auto& field : kFields) {
    if (field.path.starts_with("workload.") && field.kind != object) paths.emplace_back(field.path);
  }
  return paths;
}

bool may_stand_in_part(std::string_view key) {
  constexpr std::array<std::string_view, 10> kKeys{"models", "variants",     "workload", "matrix",  "timing",
                                                   "broker", "topic_config", "limits",   "exclude", "judge"};
  return std::ranges::find(kKeys, key) != kKeys.end();
}

}  // namespace iolab::lab
