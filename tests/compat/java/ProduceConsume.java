// A Java producer and consumer as they are by default: idempotent, in a group. Every codec, two members, commits.
//
//   java -cp JARS ProduceConsume.java HOST:PORT        ends with 0 if every record came once, in order, unchanged

import java.time.Duration;
import java.util.HashMap;
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

public class ProduceConsume {
  static final int RECORDS = 1000;
  static final int PARTITIONS = 4;
  static String address;

  static Properties with(String... pairs) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", address);
    for (int i = 0; i < pairs.length; i += 2) properties.put(pairs[i], pairs[i + 1]);
    return properties;
  }

  static void check(boolean holds, String sentence) {
    if (!holds) throw new AssertionError(sentence);
  }

  static void produce(String topic, String codec) throws Exception {
    Properties properties = with("compression.type", codec, "linger.ms", "5",
        "key.serializer", "org.apache.kafka.common.serialization.StringSerializer",
        "value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties)) {
      for (int i = 0; i < RECORDS; i++) {
        ProducerRecord<String, String> record =
            new ProducerRecord<>(topic, i % PARTITIONS, codec + i, ("value " + i + " ").repeat(20));
        record.headers().add("n", Integer.toString(i).getBytes());
        producer.send(record, (metadata, error) -> {
          if (error != null) System.out.println("send failed: " + error);
        });
      }
      producer.flush();
    }
  }

  static KafkaConsumer<String, String> consumer(String group) {
    return new KafkaConsumer<>(with("group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", "false",
        "key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer",
        "value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer"));
  }

  // Reads `wanted` records with the group, checks their order within each partition, commits, and leaves.
  static void consume(String topic, String group, int wanted, String codec) {
    Map<Integer, Integer> last = new HashMap<>();
    int read = 0;
    long until = System.currentTimeMillis() + 30_000;
    try (KafkaConsumer<String, String> consumer = consumer(group)) {
      consumer.subscribe(List.of(topic));
      while (read < wanted && System.currentTimeMillis() < until) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
          int number = Integer.parseInt(new String(record.headers().lastHeader("n").value()));
          check(record.key().equals(codec + number), "a record with the key of another one: " + record);
          check(record.value().equals(("value " + number + " ").repeat(20)), "a changed value: " + record);
          check(last.getOrDefault(record.partition(), -1) < number, "out of order: " + record);
          last.put(record.partition(), number);
          read++;
        }
      }
      consumer.commitSync();
      check(read == wanted, codec + ": " + read + " of " + wanted + " records read");
      for (int partition = 0; partition < PARTITIONS; partition++) {
        TopicPartition at = new TopicPartition(topic, partition);
        OffsetAndMetadata committed = consumer.committed(java.util.Set.of(at)).get(at);
        check(committed != null && committed.offset() == RECORDS / PARTITIONS, "committed of " + at + ": " + committed);
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    address = arguments[0];
    try (Admin admin = Admin.create(with())) {
      for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
        String topic = "java-" + codec;
        admin.createTopics(List.of(new NewTopic(topic, PARTITIONS, (short) -1))).all().get();
        produce(topic, codec);
        consume(topic, "group-" + codec, RECORDS, codec);
        consume(topic, "group-" + codec, 0, codec);  // what was committed is not read again
        System.out.println(codec + ": " + RECORDS + " records produced, consumed and committed");
      }
    }
  }
}
