"""kcat sends a real text through one model; kcat reads it back, also after kill -9 and through another model."""

import shutil
from concurrent.futures import ThreadPoolExecutor

from broker_process import CompatTest, main, run
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


if __name__ == "__main__":
    main(None if shutil.which("kcat") else "kcat is not installed (apt-get install kcat)")
