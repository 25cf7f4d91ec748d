"""kcat sends a real text through one model, and reads it back after kill -9, through another model, as a group."""

import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

from broker_process import WAIT_S, CompatTest, main, run, wait_until
from real_text import RealText, digest

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


class KcatTest(CompatTest):
    def test_real_text_survives_kill_and_a_change_of_model(self):
        """A text comes back changed, in part, twice or out of order, or is gone after kill -9."""
        text = RealText()
        address = self.start(self.model)
        for codec in CODECS:
            self.produce(address, text, codec)
        self.assert_all_there(address, text)
        address = self.kill_and_start_again()
        self.assert_all_there(address, text)
        self.stop()

    def test_a_group_shares_and_goes_on_after_a_restart(self):
        """Two members of a group read a line twice or never, or start over after kill -9."""
        address = self.start(self.model)
        run(["kcat", "-L", "-b", address, "-t", "shared"])  # makes it
        first, second = self.member(address, "first"), self.member(address, "second")
        wait_until(lambda: first.partitions() == 2 and second.partitions() == 2, "two partitions each")
        self.produce_lines(address, range(200))
        wait_until(lambda: len(first.lines()) + len(second.lines()) >= 200, "200 lines")
        self.assertEqual(sorted(map(int, first.lines() + second.lines())), list(range(200)))
        self.assertTrue(first.lines() and second.lines(), "one of the two did all the work")
        second.leave()
        before = len(first.lines())
        wait_until(lambda: first.partitions() == 4, "all partitions after the other one has left")
        self.produce_lines(address, range(200, 300))
        wait_until(lambda: len(first.lines()) >= before + 100, "100 more lines")
        self.assertEqual(sorted(map(int, first.lines()[before:])), list(range(200, 300)))
        first.leave()
        address = self.kill_and_start_again()
        self.produce_lines(address, range(300, 350))
        third = self.member(address, "third")
        wait_until(lambda: len(third.lines()) >= 50, "the new lines")
        third.leave()
        self.assertEqual(sorted(map(int, third.lines())), list(range(300, 350)), "it started over")
        self.stop()

    def test_a_compacted_topic_keeps_the_last_of_each_key(self):
        """Compaction loses a line that counts, or leaves gaps at which kcat stops or reads something twice."""
        self.settings = ("num.partitions=1", "log.cleaner.backoff.ms=100", "log.cleanup.policy=compact",
                         "log.segment.bytes=16384", "log.cleaner.min.cleanable.ratio=0.01")  # fmt: skip
        address = self.start(self.model)
        last = {}
        for codec in CODECS:
            lines = [(b"key-%d" % (n % 37), b"%d-%s-" % (n, codec.encode()) + b"x" * 100) for n in range(1000)]
            last.update(lines)
            command = ["kcat", "-P", "-b", address, "-t", "compacted", "-K", "\t", "-z", codec, "-X", "acks=all",
                       "-X", "batch.num.messages=20"]  # fmt: skip
            run(command, input=b"".join(b"%s\t%s\n" % line for line in lines))
        wait_until(lambda: len(self.read_keyed(address)) < 2000, "fewer than 2000 of 5000 lines")
        for _ in range(2):
            read = self.read_keyed(address)
            offsets = [int(offset) for offset, _, _ in read]
            self.assertEqual(offsets, sorted(set(offsets)))
            self.assertEqual({key: line for _, key, line in read}, last)
            address = self.kill_and_start_again()
        self.stop()

    def read_keyed(self, address):
        """[offset, key, line] of what is left in the compacted topic."""
        read = run(["kcat", "-C", "-b", address, "-t", "compacted", "-o", "beginning", "-e", "-q",
                    "-X", "check.crcs=true", "-f", "%o\t%k\t%s\n"])  # fmt: skip
        return [line.split(b"\t") for line in read.split(b"\n")[:-1]]

    def produce_lines(self, address, numbers):
        for partition in range(4):
            lines = b"".join(b"%d\n" % number for number in numbers if number % 4 == partition)
            run(["kcat", "-P", "-b", address, "-t", "shared", "-p", partition, "-X", "acks=all"], input=lines)

    def member(self, address, name):
        member = Member(address, self.folder / name)
        self.addCleanup(member.kill)
        return member

    def produce(self, address, text, codec):
        """One of the five as an idempotent producer, the others with acks=all alone."""
        idempotent = ["-X", "enable.idempotence=true"] if codec == "none" else ["-X", "acks=all"]
        run(
            ["kcat", "-P", "-b", address, "-t", f"text-{codec}", "-K", "\t", "-z", codec, *idempotent],
            input=text.as_keyed_lines(),
        )

    def assert_all_there(self, address, text):
        with ThreadPoolExecutor(2) as readers:
            for codec, read in zip(CODECS, readers.map(lambda codec: self.consume(address, codec), CODECS)):
                self.assert_same(text, codec, read)

    def consume(self, address, codec):
        return run(
            [
                "kcat",
                "-C",
                "-b",
                address,
                "-t",
                f"text-{codec}",
                "-o",
                "beginning",
                "-e",
                "-q",
                "-X",
                "check.crcs=true",
                "-f",
                "%p %o %k\t%s\n",
            ]
        )

    def assert_same(self, text, codec, read):
        lines, next_offset, last_place = {}, {}, {}
        for record in read.split(b"\n")[:-1]:
            head, line = record.split(b"\t", 1)
            partition, offset, key = head.split(b" ", 2)
            place = text.place[key]
            self.assertEqual(int(offset), next_offset.get(partition, 0), f"{codec}: offsets of partition {partition}")
            self.assertGreater(place, last_place.get(partition, -1), f"{codec}: order in partition {partition}")
            next_offset[partition], last_place[partition] = int(offset) + 1, place
            lines[place] = line
        self.assertEqual(len(lines), len(text.records), f"{codec}: lines")
        self.assertGreater(len(next_offset), 1, "the keys did not spread over the partitions")
        self.assertEqual(digest(lines[place] for place in sorted(lines)), text.sha256, codec)


class Member:
    """A kcat that reads as a member of a group until it is told to leave."""

    def __init__(self, address, path):
        self.out, self.said = path.with_suffix(".out"), path.with_suffix(".err")
        command = ["kcat", "-b", address, "-G", "readers", "-u", "-X", "auto.offset.reset=earliest", "-f", "%s\n"]
        with open(self.out, "wb") as out, open(self.said, "wb") as said:
            self.process = subprocess.Popen([*command, "shared"], stdin=subprocess.DEVNULL, stdout=out, stderr=said)

    def lines(self):
        return self.out.read_bytes().split(b"\n")[:-1]

    def partitions(self):
        """How many it was given last; kcat tells of each assignment in a line of its own."""
        given = [line for line in self.said.read_text().splitlines() if "assigned:" in line]
        return given[-1].count("[") if given and "revoked" not in given[-1] else 0

    def leave(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(WAIT_S)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(WAIT_S)


if __name__ == "__main__":
    main(None if shutil.which("kcat") else "kcat is not installed (apt-get install kcat)")
