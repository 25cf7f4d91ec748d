// sarama: program HOST:PORT group|transaction|admin. Ends with 0 if all came back as it was sent.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

const records = 500

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func check(holds bool, format string, arguments ...any) {
	if !holds {
		must(fmt.Errorf(format, arguments...))
	}
}

func settings() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V3_6_0_0
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	return config
}

type member struct {
	read  []string
	count int
	done  context.CancelFunc
}

func (*member) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (one *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			one.read = append(one.read, string(message.Value))
			session.MarkMessage(message, "")
			if len(one.read) == one.count {
				session.Commit()
				one.done()
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

// One partition, so that one goroutine reads.
func consume(address, topic, name string, count int, config *sarama.Config) []string {
	group, err := sarama.NewConsumerGroup([]string{address}, name, config)
	must(err)
	ctx, done := context.WithTimeout(context.Background(), 40*time.Second)
	reader := &member{count: count, done: done}
	for ctx.Err() == nil {
		must(group.Consume(ctx, []string{topic}, reader))
	}
	must(group.Close())
	return reader.read
}

func topic(address, name string) sarama.ClusterAdmin {
	admin, err := sarama.NewClusterAdmin([]string{address}, settings())
	must(err)
	must(admin.CreateTopic(name, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false))
	return admin
}

func group(address string) {
	must(topic(address, "s").Close())
	producer, err := sarama.NewSyncProducer([]string{address}, settings())
	must(err)
	var sent []string
	for number := range records {
		sent = append(sent, fmt.Sprint("v", number))
		_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: "s", Value: sarama.StringEncoder(sent[number])})
		must(err)
	}
	must(producer.Close())
	read := consume(address, "s", "readers", records, settings())
	check(slices.Equal(sent, read), "%d of %d read", len(read), records)
}

func transaction(address string) {
	must(topic(address, "t").Close())
	config := settings()
	config.Producer.Transaction.ID = "writer"
	producer, err := sarama.NewSyncProducer([]string{address}, config)
	must(err)
	for number := range 4 {
		must(producer.BeginTxn())
		_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: "t", Value: sarama.StringEncoder(fmt.Sprint("round ", number))})
		must(err)
		if number%2 == 0 {
			must(producer.CommitTxn())
		} else {
			must(producer.AbortTxn())
		}
	}
	must(producer.Close())
	reading := settings()
	reading.Consumer.IsolationLevel = sarama.ReadCommitted
	read := consume(address, "t", "committed", 2, reading)
	check(slices.Equal(read, []string{"round 0", "round 2"}), "read_committed saw %v", read)
}

func admin(address string) {
	asker := topic(address, "a")
	must(asker.CreatePartitions("a", 3, nil, false))
	described, err := asker.DescribeTopics([]string{"a"})
	must(err)
	check(len(described[0].Partitions) == 3, "%d partitions", len(described[0].Partitions))
	_, err = asker.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: "a"})
	must(err)
	_, _, err = asker.DescribeCluster()
	must(err)
	_, err = asker.ListConsumerGroups()
	must(err)
	must(asker.DeleteRecords("a", map[int32]int64{0: 0}))
	must(asker.DeleteTopic("a"))
	must(asker.Close())
}

func main() {
	map[string]func(string){"group": group, "transaction": transaction, "admin": admin}[os.Args[2]](os.Args[1])
}
