// What the Java admin client can ask of a cluster, call by call; each that fails is named, and one failure fails all.
//
//   java -cp JARS AdminCalls.java HOST:PORT

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class AdminCalls {
  static final List<String> failed = new ArrayList<>();

  static void call(String name, Callable<Object> what) {
    try {
      Object said = what.call();
      if (said instanceof KafkaFuture<?> future) said = future.get(20, TimeUnit.SECONDS);
      String text = String.valueOf(said);
      System.out.println("ok      " + name + ": " + text.substring(0, Math.min(100, text.length())));
    } catch (Throwable error) {
      Throwable cause = error.getCause() == null ? error : error.getCause();
      System.out.println("FAILED  " + name + ": " + cause);
      failed.add(name);
    }
  }

  static void topics(Admin admin, TopicPartition first, ConfigResource topic) {
    call("createTopics", () -> admin.createTopics(List.of(new NewTopic("admin", 2, (short) 1))).all());
    call("listTopics", () -> admin.listTopics().names());
    call("describeTopics", () -> admin.describeTopics(List.of("admin")).allTopicNames());
    call("createPartitions", () -> admin.createPartitions(Map.of("admin", NewPartitions.increaseTo(3))).all());
    call("describeConfigs", () -> admin.describeConfigs(List.of(topic)).all());
    AlterConfigOp set = new AlterConfigOp(new ConfigEntry("retention.ms", "123456789"), AlterConfigOp.OpType.SET);
    call("incrementalAlterConfigs", () -> admin.incrementalAlterConfigs(Map.of(topic, List.of(set))).all());
    call("describeConfigs of what was altered", () -> {
      String value = admin.describeConfigs(List.of(topic)).all().get().get(topic).get("retention.ms").value();
      if (!value.equals("123456789")) throw new AssertionError("retention.ms is " + value);
      return value;
    });
    for (OffsetSpec spec : List.of(OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.maxTimestamp(),
        OffsetSpec.forTimestamp(0))) {
      call("listOffsets " + spec.getClass().getSimpleName(), () -> admin.listOffsets(Map.of(first, spec)).all());
    }
    call("deleteRecords", () -> admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(3))).all());
    call("listOffsets after deleteRecords", () -> {
      long offset = admin.listOffsets(Map.of(first, OffsetSpec.earliest())).all().get().get(first).offset();
      if (offset != 3) throw new AssertionError("the log starts at " + offset);
      return offset;
    });
    call("describeProducers", () -> admin.describeProducers(List.of(first)).all());
    call("electLeaders", () -> {
      admin.electLeaders(org.apache.kafka.common.ElectionType.PREFERRED, null).partitions().get();
      return "asked";
    });
    call("listPartitionReassignments", () -> admin.listPartitionReassignments().reassignments());
  }

  static void groups(Admin admin, TopicPartition first) {
    call("listConsumerGroups", () -> admin.listConsumerGroups().all());
    call("describeConsumerGroups", () -> admin.describeConsumerGroups(List.of("admins")).all());
    call("listConsumerGroupOffsets", () -> admin.listConsumerGroupOffsets("admins").partitionsToOffsetAndMetadata());
    call("alterConsumerGroupOffsets",
        () -> admin.alterConsumerGroupOffsets("admins", Map.of(first, new OffsetAndMetadata(4))).all());
    call("deleteConsumerGroupOffsets",
        () -> admin.deleteConsumerGroupOffsets("admins", java.util.Set.of(first)).all());
    call("deleteConsumerGroups", () -> admin.deleteConsumerGroups(List.of("admins")).all());
  }

  static void cluster(Admin admin) throws Exception {
    call("describeCluster", () -> admin.describeCluster().nodes());
    ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
    call("describeConfigs of the broker", () -> admin.describeConfigs(List.of(broker)).all());
    call("describeLogDirs", () -> admin.describeLogDirs(List.of(1)).allDescriptions());
    call("listTransactions", () -> admin.listTransactions().all());
    call("deleteTopics", () -> admin.deleteTopics(List.of("admin")).all());
  }

  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", arguments[0]);
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "admin");
    try (Admin admin = Admin.create(properties)) {
      admin.createTopics(List.of(new NewTopic("records", 1, (short) 1))).all().get();
      try (KafkaProducer<String, String> producer =
          new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
        call("produce", () -> {
          for (int i = 0; i < 10; i++) producer.send(new ProducerRecord<>("records", 0, "k", "v" + i)).get();
          return "10 records";
        });
      }
      properties.put("group.id", "admins");
      properties.put("auto.offset.reset", "earliest");
      call("a group", () -> {
        try (KafkaConsumer<String, String> consumer =
            new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
          consumer.subscribe(List.of("records"));
          long until = System.currentTimeMillis() + 20_000;
          while (consumer.poll(Duration.ofMillis(200)).isEmpty() && System.currentTimeMillis() < until) continue;
          consumer.commitSync(Duration.ofSeconds(10));
          return consumer.assignment();
        }
      });
      topics(admin, new TopicPartition("records", 0), topic);
      groups(admin, new TopicPartition("records", 0));
      cluster(admin);
    }
    System.out.println(failed.isEmpty() ? "every call was answered" : "failed: " + String.join(", ", failed));
    System.exit(failed.isEmpty() ? 0 : 1);
  }
}
