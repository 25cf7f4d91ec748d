#!/usr/bin/env python3
"""Captures golden frames: real clients talk to `iolab broker` through a proxy that writes every new kind of frame down.

  capture.py path/to/iolab [output directory]

Needs kcat and kafka-python (Debian: kcat, python3-kafka). One file for each client, API, version and direction, and for
Produce also each codec: frames as hex, size included, behind lines that say where they come from. Responses are this
broker's own; they are golden because the named client understood them and went on. The frames under kafka_python_own_*
are encoded by kafka-python's own response classes: an encoder that is not ours.
"""
import os, re, socket, struct, subprocess, sys, tempfile, threading

API_NAMES = {0: "Produce", 1: "Fetch", 2: "ListOffsets", 3: "Metadata", 10: "FindCoordinator", 18: "ApiVersions",
             19: "CreateTopics", 20: "DeleteTopics", 22: "InitProducerId", 32: "DescribeConfigs",
             37: "CreatePartitions", 60: "DescribeCluster"}
BIGGEST_FRAME_BYTES = 1500


def write_frame(directory, name, origin, frame):
    lines = [frame.hex()[i:i + 100] for i in range(0, len(frame.hex()), 100)]
    with open(os.path.join(directory, name + ".hex"), "w") as out:
        out.write("".join("# %s\n" % line for line in origin) + "\n".join(lines) + "\n")


def receive_frame(source):
    frame = b""
    while len(frame) < 4 or len(frame) < 4 + struct.unpack(">i", frame[:4])[0]:
        missing = 4 - len(frame) if len(frame) < 4 else 4 + struct.unpack(">i", frame[:4])[0] - len(frame)
        piece = source.recv(missing)
        if not piece:
            return None
        frame += piece
    return frame


class Proxy:
    def __init__(self, broker_port, directory):
        self.broker_port, self.directory = broker_port, directory
        self.client, self.command, self.label = "", "", ""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.broker_port))
            asked = {}
            threading.Thread(target=self.pump, args=(near, far, asked, True), daemon=True).start()
            threading.Thread(target=self.pump, args=(far, near, asked, False), daemon=True).start()

    def pump(self, source, target, asked, is_request):
        try:
            while (frame := receive_frame(source)) is not None:
                if is_request:
                    key, version, correlation = struct.unpack(">hhi", frame[4:12])
                    asked[correlation] = (key, version)
                    self.keep(key, version, "request", frame)
                else:
                    # The broker names its own port; clients shall come back to this one.
                    frame = frame.replace(b"127.0.0.1" + struct.pack(">i", self.broker_port),
                                          b"127.0.0.1" + struct.pack(">i", self.port))
                    key, version = asked.pop(struct.unpack(">i", frame[4:8])[0])
                    self.keep(key, version, "response", frame)
                target.sendall(frame)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def keep(self, key, version, direction, frame):
        api = API_NAMES.get(key)
        if api is None or len(frame) > BIGGEST_FRAME_BYTES:
            return
        label = self.label if key in (0, 1) else ""
        name = "_".join(filter(None, [self.client.split()[0].replace("-", "_"), "%02d" % key, api, "v%d" % version,
                                      label, direction]))
        if os.path.exists(os.path.join(self.directory, name + ".hex")):
            return
        verb = "sent by" if direction == "request" else "accepted by"
        write_frame(self.directory, name, ["%s v%d %s %s %s: %s" % (api, version, direction, verb, self.client,
                                                                    self.command)], frame)


def start_broker(iolab, data):
    broker = subprocess.Popen([iolab, "broker", "--model", "epoll", "--listeners", "PLAINTEXT://127.0.0.1:0",
                               "--log-dirs", data, "--override", "num.partitions=2"], stdout=subprocess.PIPE, text=True)
    return broker, int(re.search(r":(\d+)$", broker.stdout.readline().strip()).group(1))


def run_kcat(proxy):
    version = subprocess.run(["kcat", "-V"], capture_output=True, text=True).stdout
    proxy.client = "kcat " + re.search(r"Version (\S+)", version).group(1)
    address = "127.0.0.1:%d" % proxy.port

    def kcat(*arguments, text=None, label=""):
        proxy.command, proxy.label = "kcat " + " ".join(arguments), label
        subprocess.run(["kcat", "-b", address, *arguments], input=text, text=True, timeout=30, check=True,
                       stdout=subprocess.DEVNULL)

    kcat("-L")
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        lines = "".join("key%d:a line that is worth compressing, number %d\n" % (i, i) for i in range(6))
        kcat("-P", "-t", "golden", "-K:", "-z", codec, "-H", "origin=kcat", text=lines, label=codec)
    kcat("-P", "-t", "golden", "-p", "0", "-X", "enable.idempotence=true", text="once\n", label="idempotent")
    kcat("-C", "-t", "golden", "-o", "beginning", "-e", "-p", "0", label="records")
    kcat("-Q", "-t", "golden:0:-1", "-t", "golden:1:-2")


def run_kafka_python(proxy):
    import kafka
    from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
    proxy.client, proxy.label = "kafka-python %s" % kafka.__version__, ""
    address = "127.0.0.1:%d" % proxy.port
    proxy.command = "KafkaAdminClient: create, describe, grow and delete a topic"
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics([NewTopic("python", 1, 1, topic_configs={"retention.ms": "100000"})])
    for call in (lambda: admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "python")]),
                 lambda: admin.create_partitions({"python": NewPartitions(3)}), admin.describe_cluster):
        try:
            call()
        except Exception as error:  # an API that the client knows and the broker refuses is no reason to lose the rest
            print("kafka-python:", type(error).__name__, error)
    proxy.command = "KafkaProducer.send"
    for codec in (None, "gzip", "snappy", "lz4"):
        proxy.label = codec or "none"
        try:
            producer = kafka.KafkaProducer(bootstrap_servers=address, compression_type=codec)
        except AssertionError as error:  # a codec that this Python has no module for
            print("kafka-python:", error)
            continue
        producer.send("python", key=b"k", value=b"a value from Python " * 3, headers=[("origin", b"kafka-python")])
        producer.flush(30)
        producer.close()
    proxy.command, proxy.label = "KafkaConsumer.poll", "records"
    consumer = kafka.KafkaConsumer(bootstrap_servers=address, consumer_timeout_ms=3000)
    partitions = [kafka.TopicPartition("python", i) for i in range(3)]
    consumer.assign(partitions)
    consumer.seek_to_beginning()
    print("kafka-python read", sum(1 for _ in consumer), "records")
    consumer.offsets_for_times({partitions[0]: 1})
    consumer.close()
    proxy.command = "KafkaAdminClient: create, describe, grow and delete a topic"
    admin.delete_topics(["python"])
    admin.close()


def write_kafka_python_own(directory):
    """Responses that kafka-python's own classes encode."""
    import kafka
    from kafka.protocol import admin, fetch, metadata, offset, produce
    samples = [
        (produce.ProduceResponse_v5, 0, 5, ([("t", [(1, 0, 77, -1, 3), (2, 6, -1, -1, -1)])], 9)),
        (fetch.FetchResponse_v4, 1, 4, (5, [("t", [(0, 0, 100, 99, [(7, 50)], b"not a batch")])])),
        (fetch.FetchResponse_v11, 1, 11, (5, 0, 0, [("t", [(0, 1, 100, 99, 3, None, -1, b"")])])),
        (offset.OffsetResponse_v1, 2, 1, ([("t", [(0, 0, 1700000000000, 12)])],)),
        (offset.OffsetResponse_v5, 2, 5, (3, [("t", [(0, 0, -1, 12, 4)])])),
        (metadata.MetadataResponse_v0, 3, 0, ([(0, "localhost", 9092)], [(0, "t", [(0, 1, 0, [0], [0])])])),
        (metadata.MetadataResponse_v1, 3, 1, ([(0, "localhost", 9092, "rack")], 0,
                                              [(0, "t", True, [(0, 1, 0, [0, 1, 2], [0, 2])])])),
        (metadata.MetadataResponse_v5, 3, 5, (1, [(0, "localhost", 9092, None)], "cluster", 0,
                                              [(0, "t", False, [(5, 1, -1, [0, 1], [], [1])])])),
        (admin.ApiVersionResponse_v0, 18, 0, (35, [(18, 0, 4)])),
        (admin.ApiVersionResponse_v2, 18, 2, (0, [(0, 0, 11), (1, 4, 12), (18, 0, 4)], 7)),
        (admin.CreateTopicsResponse_v3, 19, 3, (1, [("t", 36, "it is there"), ("u", 0, None)])),
        (admin.DeleteTopicsResponse_v3, 20, 3, (1, [("t", 3), ("u", 0)])),
        (admin.DescribeConfigsResponse_v2, 32, 2,
         (0, [(0, "", 2, "t", [("retention.ms", "5", False, 1, False, [("log.retention.ms", "9", 4)])])])),
        (admin.CreatePartitionsResponse_v1, 37, 1, (0, [("t", 37, "fewer than it has")])),
    ]
    for response, key, version, values in samples:
        message = response(*values)  # kafka-python keeps only a weak reference to what it encodes
        body = struct.pack(">i", 4711) + message.encode()
        name = "kafka_python_own_%02d_%s_v%d_response" % (key, API_NAMES[key], version)
        write_frame(directory, name, ["%s v%d response encoded by kafka-python %s: %s%r" % (
            API_NAMES[key], version, kafka.__version__, response.__name__, values)],
            struct.pack(">i", len(body)) + body)


def main():
    iolab = os.path.abspath(sys.argv[1])
    directory = sys.argv[2] if len(sys.argv) > 2 else os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as data:
        broker, port = start_broker(iolab, data)
        try:
            proxy = Proxy(port, directory)
            run_kcat(proxy)
            run_kafka_python(proxy)
        finally:
            broker.terminate()
            broker.wait(20)
    write_kafka_python_own(directory)


if __name__ == "__main__":
    main()
