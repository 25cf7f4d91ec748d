// One function for each file NN_name.cpp of this folder: the row that it puts into the table of APIs.
#pragma once

#include "broker/handlers/handler.h"

namespace iolab::handlers {

ApiEntry produce();                        // 00
ApiEntry fetch();                          // 01
ApiEntry list_offsets();                   // 02
ApiEntry metadata();                       // 03
ApiEntry offset_commit();                  // 08
ApiEntry offset_fetch();                   // 09
ApiEntry find_coordinator();               // 10
ApiEntry join_group();                     // 11
ApiEntry heartbeat();                      // 12
ApiEntry leave_group();                    // 13
ApiEntry sync_group();                     // 14
ApiEntry describe_groups();                // 15
ApiEntry list_groups();                    // 16
ApiEntry api_versions();                   // 18
ApiEntry create_topics();                  // 19
ApiEntry delete_topics();                  // 20
ApiEntry delete_records();                 // 21
ApiEntry init_producer_id();               // 22
ApiEntry offset_for_leader_epoch();        // 23
ApiEntry add_partitions_to_txn();          // 24
ApiEntry add_offsets_to_txn();             // 25
ApiEntry end_txn();                        // 26
ApiEntry write_txn_markers();              // 27
ApiEntry txn_offset_commit();              // 28
ApiEntry describe_configs();               // 32
ApiEntry alter_configs();                  // 33
ApiEntry describe_log_dirs();              // 35
ApiEntry create_partitions();              // 37
ApiEntry delete_groups();                  // 42
ApiEntry elect_leaders();                  // 43
ApiEntry incremental_alter_configs();      // 44
ApiEntry alter_partition_reassignments();  // 45
ApiEntry list_partition_reassignments();   // 46
ApiEntry offset_delete();                  // 47
ApiEntry describe_cluster();               // 60
ApiEntry describe_producers();             // 61
ApiEntry describe_transactions();          // 65
ApiEntry list_transactions();              // 66
ApiEntry describe_topic_partitions();      // 75

}  // namespace iolab::handlers
