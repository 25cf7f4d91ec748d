// franz-go: program HOST:PORT group|transaction|admin. Ends with 0 if all came back as it was sent.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
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

func client(address string, options ...kgo.Opt) *kgo.Client {
	made, err := kgo.NewClient(append(options, kgo.SeedBrokers(address), kgo.AllowAutoTopicCreation())...)
	must(err)
	return made
}

func consume(ctx context.Context, address, topic, group string, count int, options ...kgo.Opt) []string {
	options = append(options, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.FetchMaxWait(500*time.Millisecond))
	reader := client(address, options...)
	defer reader.Close()
	var read []string
	for len(read) < count && ctx.Err() == nil {
		fetched := reader.PollFetches(ctx)
		for _, failed := range fetched.Errors() {
			must(failed.Err)
		}
		fetched.EachRecord(func(record *kgo.Record) { read = append(read, string(record.Value)) })
	}
	must(reader.CommitUncommittedOffsets(ctx))
	return read
}

func group(ctx context.Context, address string) {
	codecs := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	for name, codec := range codecs {
		writer := client(address, kgo.ProducerBatchCompression(codec))
		var sent []string
		for number := range records {
			value := fmt.Sprint("v", number)
			sent = append(sent, value)
			writer.Produce(ctx, &kgo.Record{Topic: "f-" + name, Value: []byte(value)}, func(_ *kgo.Record, err error) { must(err) })
		}
		must(writer.Flush(ctx))
		writer.Close()
		read := consume(ctx, address, "f-"+name, "g-"+name, records)
		slices.Sort(sent)
		slices.Sort(read)
		check(slices.Equal(sent, read), "%s: %d of %d read", name, len(read), records)
	}
}

func transaction(ctx context.Context, address string) {
	writer := client(address, kgo.TransactionalID("writer"))
	defer writer.Close()
	for number := range 4 {
		must(writer.BeginTransaction())
		must(writer.ProduceSync(ctx, &kgo.Record{Topic: "t", Key: []byte("k"), Value: fmt.Append(nil, "round ", number)}).FirstErr())
		must(writer.EndTransaction(ctx, kgo.TransactionEndTry(number%2 == 0)))
	}
	read := consume(ctx, address, "t", "committed", 2, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	check(slices.Equal(read, []string{"round 0", "round 2"}), "read_committed saw %v", read)
}

func admin(ctx context.Context, address string) {
	asker := kadm.NewClient(client(address))
	defer asker.Close()
	_, err := asker.CreateTopic(ctx, 2, 1, nil, "a")
	must(err)
	_, err = asker.CreatePartitions(ctx, 1, "a")
	must(err)
	topics, err := asker.ListTopics(ctx, "a")
	must(err)
	check(len(topics["a"].Partitions) == 3, "%d partitions", len(topics["a"].Partitions))
	writer := client(address)
	must(writer.ProduceSync(ctx, &kgo.Record{Topic: "a", Value: []byte("v")}).FirstErr())
	writer.Close()
	consume(ctx, address, "a", "admins", 1)
	groups, err := asker.ListGroups(ctx)
	must(err)
	check(slices.Contains(groups.Groups(), "admins"), "groups: %v", groups.Groups())
	offsets, err := asker.FetchOffsets(ctx, "admins")
	must(err)
	must(offsets.Error())
	_, err = asker.DescribeTopicConfigs(ctx, "a")
	must(err)
	ends, err := asker.ListEndOffsets(ctx, "a")
	must(err)
	must(ends.Error())
	deleted, err := asker.DeleteRecords(ctx, ends.Offsets())
	must(err)
	must(deleted.Error())
	_, err = asker.DeleteGroups(ctx, "admins")
	must(err)
	_, err = asker.DeleteTopics(ctx, "a")
	must(err)
}

func main() {
	ctx, done := context.WithTimeout(context.Background(), 90*time.Second)
	defer done()
	map[string]func(context.Context, string){"group": group, "transaction": transaction, "admin": admin}[os.Args[2]](ctx, os.Args[1])
}
