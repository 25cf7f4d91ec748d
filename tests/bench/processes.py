"""Servers and loads as processes: started pinned, read from /proc, stopped by their own pid.

Everything here is bounded in time, and every process dies with this one.
"""

import ctypes
import os
import re
import select
import signal
import subprocess
import time

SERVER_CPU = 0
LOAD_CPU = 1
PR_SET_PDEATHSIG = 1
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def _child_setup(cpu):
    def setup():
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if cpu is not None and os.cpu_count() > 1:
            os.sched_setaffinity(0, {cpu})

    return setup


class Server:
    """A process whose first line on stdout says where it listens."""

    def __init__(self, command, cpu=SERVER_CPU, timeout_s=20):
        self.command = [str(word) for word in command]
        self.started = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        stdin=subprocess.PIPE, preexec_fn=_child_setup(cpu))
        self.pid = self.process.pid
        self.port = self._port_from_first_line(timeout_s)
        self.start_s = time.monotonic() - self.started

    def _port_from_first_line(self, timeout_s):
        ready, _, _ = select.select([self.process.stdout], [], [], timeout_s)
        line = self.process.stdout.readline().decode() if ready else ""
        match = re.search(r"(\d+)\s*$", line)
        if not line.startswith("listening") or not match:
            self.process.kill()
            said = self.process.stderr.read().decode().strip()
            raise RuntimeError(f"{' '.join(self.command)} did not say where it listens: {line.strip()} {said}")
        return int(match.group(1))

    def cpu_s(self):
        """CPU of all threads, exact to a nanosecond: the process CPU clock, not the ticks of /proc/PID/stat."""
        return time.clock_gettime(cpu_clock_of(self.pid))

    def memory_bytes(self, field="VmRSS"):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return int(re.search(rf"^{field}:\s+(\d+) kB", status.read(), re.M).group(1)) * 1024

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def cpu_clock_of(pid):
    """clock_getcpuclockid(3): the clock's number is made from the pid, and that is the kernel's interface."""
    return (~pid << 3) | 2


def run_load(command, cpu=LOAD_CPU, timeout_s=120, **options):
    """Runs a load to its end and returns what it printed."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout_s, preexec_fn=_child_setup(cpu), check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(str(w) for w in command)} ended with {done.returncode}: "
                           f"{done.stderr.decode().strip()[-400:]}")
    return done.stdout.decode()
