// A Java transactional producer: commit, abort, offsets inside a transaction, fencing; read_committed sees only commits.
//
//   java -cp JARS Transactions.java HOST:PORT

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;

public class Transactions {
  static String address;

  static void check(boolean holds, String sentence) {
    if (!holds) throw new AssertionError(sentence);
  }

  static Properties with(String... pairs) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", address);
    for (int i = 0; i < pairs.length; i += 2) properties.put(pairs[i], pairs[i + 1]);
    return properties;
  }

  static KafkaProducer<String, String> producer(String id) {
    return new KafkaProducer<>(with("transactional.id", id,
        "key.serializer", "org.apache.kafka.common.serialization.StringSerializer",
        "value.serializer", "org.apache.kafka.common.serialization.StringSerializer"));
  }

  static KafkaConsumer<String, String> consumer(String isolation, String group) {
    return new KafkaConsumer<>(with("isolation.level", isolation, "group.id", group, "auto.offset.reset", "earliest",
        "enable.auto.commit", "false",
        "key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer",
        "value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer"));
  }

  static List<String> values(String topic, String isolation, int atLeast) {
    List<String> read = new ArrayList<>();
    TopicPartition partition = new TopicPartition(topic, 0);
    try (KafkaConsumer<String, String> consumer = consumer(isolation, "reader")) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long until = System.currentTimeMillis() + 20_000;
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end && System.currentTimeMillis() < until) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) read.add(record.value());
      }
    }
    check(read.size() >= atLeast, isolation + " read " + read + ", wanted at least " + atLeast);
    return read;
  }

  static void commitAndAbort(Admin admin) throws Exception {
    admin.createTopics(List.of(new NewTopic("ledger", 1, (short) 1))).all().get();
    try (KafkaProducer<String, String> producer = producer("ledger-writer")) {
      producer.initTransactions();
      for (int round = 0; round < 6; round++) {
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("ledger", 0, "k", "round " + round));
        if (round % 2 == 0) {
          producer.commitTransaction();
        } else {
          producer.flush();
          producer.abortTransaction();
        }
      }
    }
    List<String> committed = values("ledger", "read_committed", 3);
    check(committed.equals(List.of("round 0", "round 2", "round 4")), "read_committed saw " + committed);
    check(values("ledger", "read_uncommitted", 6).size() == 6, "read_uncommitted does not see what was aborted");
    System.out.println("commit and abort: read_committed sees the three that were committed");
  }

  static void offsetsInside(Admin admin) throws Exception {
    admin.createTopics(List.of(new NewTopic("copy", 1, (short) 1))).all().get();
    TopicPartition from = new TopicPartition("ledger", 0);
    try (KafkaProducer<String, String> producer = producer("copier");
        KafkaConsumer<String, String> consumer = consumer("read_committed", "copiers")) {
      producer.initTransactions();
      consumer.subscribe(List.of("ledger"));
      int copied = 0;
      long until = System.currentTimeMillis() + 30_000;
      while (copied < 3 && System.currentTimeMillis() < until) {
        var records = consumer.poll(Duration.ofMillis(200));
        if (records.isEmpty()) continue;
        producer.beginTransaction();
        long next = 0;
        for (ConsumerRecord<String, String> record : records) {
          producer.send(new ProducerRecord<>("copy", 0, record.key(), record.value()));
          next = record.offset() + 1;
          copied++;
        }
        producer.sendOffsetsToTransaction(Map.of(from, new OffsetAndMetadata(next)), consumer.groupMetadata());
        producer.commitTransaction();
      }
      OffsetAndMetadata committed = consumer.committed(java.util.Set.of(from)).get(from);
      check(copied == 3 && committed != null && committed.offset() > 0, copied + " copied, committed " + committed);
    }
    check(values("copy", "read_committed", 3).size() == 3, "the copy is not complete");
    System.out.println("offsets inside a transaction: copied and committed together");
  }

  static void fencing() {
    try (KafkaProducer<String, String> old = producer("fenced"); KafkaProducer<String, String> young = producer("fenced")) {
      old.initTransactions();
      old.beginTransaction();
      old.send(new ProducerRecord<>("ledger", 0, "k", "of the old one"));
      old.flush();
      young.initTransactions();
      try {
        old.commitTransaction();
        check(false, "the older producer could still commit");
      } catch (ProducerFencedException expected) {
        System.out.println("fencing: the older producer is refused");
      }
    }
    check(!values("ledger", "read_committed", 3).contains("of the old one"), "a fenced producer's record is visible");
  }

  public static void main(String[] arguments) throws Exception {
    address = arguments[0];
    try (Admin admin = Admin.create(with())) {
      commitAndAbort(admin);
      offsetsInside(admin);
      fencing();
      System.out.println("transactions listed: " + admin.listTransactions().all().get().size());
      check(admin.describeTransactions(List.of("copier")).all().get().containsKey("copier"), "copier is not described");
    }
  }
}
