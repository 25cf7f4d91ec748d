// kafka-go: program HOST:PORT group. Ends with 0 if all came back as it was sent.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
)

const records = 500

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func main() {
	ctx, done := context.WithTimeout(context.Background(), 60*time.Second)
	defer done()
	asker := &kafka.Client{Addr: kafka.TCP(os.Args[1])}
	_, err := asker.CreateTopics(ctx, &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: "k", NumPartitions: 2, ReplicationFactor: 1}}})
	must(err)
	writer := &kafka.Writer{Addr: kafka.TCP(os.Args[1]), Topic: "k", RequiredAcks: kafka.RequireAll, Compression: kafka.Lz4}
	var sent, read []string
	var messages []kafka.Message
	for number := range records {
		sent = append(sent, fmt.Sprint("v", number))
		messages = append(messages, kafka.Message{Value: []byte(sent[number])})
	}
	must(writer.WriteMessages(ctx, messages...))
	must(writer.Close())
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{os.Args[1]}, GroupID: "readers", Topic: "k",
		StartOffset: kafka.FirstOffset, MaxWait: 500 * time.Millisecond})
	for len(read) < records {
		message, err := reader.FetchMessage(ctx)
		must(err)
		read = append(read, string(message.Value))
		must(reader.CommitMessages(ctx, message))
	}
	must(reader.Close())
	slices.Sort(sent)
	slices.Sort(read)
	if !slices.Equal(sent, read) {
		must(fmt.Errorf("%d of %d read", len(read), records))
	}
}
