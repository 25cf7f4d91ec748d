// DeleteTopics, versions 1 to 6: by name, and from version 6 on by id.
//
// Behaviour    The topic is gone, its name free and long polls on it ended when the answer is sent; its files are
//              removed a little later by the flusher thread. What groups have committed for it is forgotten.
// Not here     the timeout.
#include "broker/protocol/messages/20_delete_topics.h"

#include "broker/handlers/disk_request.h"
#include "broker/handlers/entries.h"

namespace iolab::handlers {
namespace {

using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using protocol::ErrorCode;
using Answer = DeleteTopicsResponse::Topic;

void remove(Request& request, const std::string& name, Answer& answer) {
  answer.name = name;
  const core::TopicPointer topic = request.broker.topics().find(name);
  if (topic) answer.topic_id = topic->id;
  const auto done = request.broker.delete_topic(name);
  if (done) return request.broker.groups().forget_topic(name, {request.now, request.wakeups});
  answer.error_code = done.error().code;
  answer.error_message = done.error().message;
}

void remove(Request& request, const protocol::Uuid& id, Answer& answer) {
  if (const core::TopicPointer topic = request.broker.topics().find(id)) return remove(request, topic->name, answer);
  answer.name.reset();
  answer.topic_id = id;
  answer.error_code = ErrorCode::unknown_topic_id;
}

Outcome handle(Request& request, DeleteTopicsRequest& wanted, base::GatherBuffer& out) {
  DeleteTopicsResponse response;
  for (const std::string& name : wanted.topic_names) remove(request, name, response.responses.emplace_back());
  for (const auto& asked : wanted.topics) {
    Answer& answer = response.responses.emplace_back();
    if (asked.name)
      remove(request, *asked.name, answer);
    else
      remove(request, asked.topic_id, answer);
  }
  return answer(request, response, out);
}

}  // namespace

ApiEntry delete_topics() {
  return {&protocol::kDeleteTopics,
          decode_and_handle<DeleteTopicsRequest, run_at_the_disk<DeleteTopicsRequest, handle>>,
          "By name, and from version 6 on by id. The timeout is not looked at."};
}

}  // namespace iolab::handlers
