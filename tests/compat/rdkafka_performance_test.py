"""librdkafka's own load tool drives one model; what was acknowledged is read through another one after kill -9."""

import hashlib
import os
import re
from pathlib import Path

from broker_process import CompatTest, main, run

PROGRAM = Path(os.environ.get("RDKAFKA_PERFORMANCE", "build/librdkafka/rdkafka_performance"))
RECORDS = 300_000
RECORD_BYTES = 100
PARTITIONS = 4


class RdkafkaPerformanceTest(CompatTest):
    def test_acknowledged_records_survive_kill_and_a_change_of_model(self):
        """Of the records that the tool was told are safe, some are missing or changed afterwards."""
        address = self.start(self.model)
        said = run([PROGRAM, "-P", "-b", address, "-t", "load", "-s", RECORD_BYTES, "-c", RECORDS, "-a", "-1", "-q"])
        delivered = re.findall(rb"(\d+) messages produced .*?(\d+) delivered", said, re.DOTALL)
        if delivered:
            self.assertEqual(delivered[-1], (str(RECORDS).encode(), str(RECORDS).encode()), said)
        before = self.content(address)
        self.assertEqual(sum(count for count, _ in before), RECORDS)
        address = self.kill_and_start_again()
        self.assertEqual(self.content(address), before)
        self.assertEqual(sum(self.consumed(address, partition) for partition in range(PARTITIONS)), RECORDS)
        self.stop()

    def content(self, address):
        """(records, SHA-256 of all offsets and bytes) of each partition, read by another client."""
        found = []
        for partition in range(PARTITIONS):
            read = run(
                [
                    "kcat",
                    "-C",
                    "-b",
                    address,
                    "-t",
                    "load",
                    "-p",
                    partition,
                    "-o",
                    "beginning",
                    "-e",
                    "-q",
                    "-X",
                    "check.crcs=true",
                    "-f",
                    "%o %S %s\n",
                ]
            )
            found.append((read.count(b"\n"), hashlib.sha256(read).hexdigest()))
        return found

    def consumed(self, address, partition):
        """How many records the tool itself reads from a partition until its end."""
        said = run([PROGRAM, "-C", "-b", address, "-t", "load", "-p", partition, "-o", "beginning", "-e"])
        return int(re.findall(rb"(\d+) messages \(", said)[-1])


if __name__ == "__main__":
    main(None if PROGRAM.exists() else f"{PROGRAM} is not there; scripts/build_rdkafka_performance builds it")
