// Kafka Streams with exactly_once_v2: counts words through a repartition topic and a state store, to the last word.
//
//   java -cp JARS StreamsWordCount.java HOST:PORT

import java.nio.file.Files;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Produced;

public class StreamsWordCount {
  static final int LINES = 500;

  static Properties at(String address) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", address);
    return properties;
  }

  static KafkaStreams streams(String address) throws Exception {
    Properties properties = at(address);
    properties.put("application.id", "word-count");
    properties.put("processing.guarantee", "exactly_once_v2");
    properties.put("commit.interval.ms", "200");
    properties.put("state.dir", Files.createTempDirectory("iolab-streams").toString());
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream("lines", Consumed.with(Serdes.String(), Serdes.String()))
        .flatMapValues(line -> List.of(line.split(" ")))
        .groupBy((key, word) -> word, Grouped.with(Serdes.String(), Serdes.String()))
        .count()
        .toStream()
        .to("counts", Produced.with(Serdes.String(), Serdes.Long()));
    return new KafkaStreams(builder.build(), properties);
  }

  static Map<String, Long> counts(String address, long wanted) {
    Properties properties = at(address);
    properties.put("group.id", "counts-reader");
    properties.put("isolation.level", "read_committed");
    properties.put("auto.offset.reset", "earliest");
    Map<String, Long> counts = new HashMap<>();
    long until = System.currentTimeMillis() + 60_000;
    try (KafkaConsumer<String, Long> consumer =
        new KafkaConsumer<>(properties, new StringDeserializer(), new LongDeserializer())) {
      consumer.subscribe(List.of("counts"));
      while (System.currentTimeMillis() < until && counts.values().stream().mapToLong(n -> n).sum() < wanted) {
        for (ConsumerRecord<String, Long> record : consumer.poll(Duration.ofMillis(200))) {
          counts.put(record.key(), record.value());
        }
      }
    }
    return counts;
  }

  public static void main(String[] arguments) throws Exception {
    String address = arguments[0];
    try (Admin admin = Admin.create(at(address))) {
      admin.createTopics(List.of(new NewTopic("lines", 2, (short) 1), new NewTopic("counts", 2, (short) 1))).all().get();
    }
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(at(address), new StringSerializer(), new StringSerializer())) {
      for (int i = 0; i < LINES; i++) producer.send(new ProducerRecord<>("lines", "k" + i, "one two two word" + i % 7));
    }
    KafkaStreams streams = streams(address);
    streams.start();
    Map<String, Long> counts = counts(address, 4L * LINES);
    streams.close(Duration.ofSeconds(20));
    System.out.println("counted " + counts);
    boolean right = counts.getOrDefault("one", 0L) == LINES && counts.getOrDefault("two", 0L) == 2 * LINES
        && counts.values().stream().mapToLong(n -> n).sum() == 4L * LINES;
    System.exit(right ? 0 : 1);
  }
}
