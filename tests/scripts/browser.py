"""A headless Chromium that a test opens pages in, spoken to over two pipes in the DevTools protocol.

The pipes are file descriptors 3 (orders) and 4 (answers and events) of the browser, each message JSON and a zero byte:
no port, no driver program, no package. The browser has a profile of its own, which goes with it.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PATIENCE_S = 20
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
)  # fmt: skip
KEYS = {"PageDown": 34, "PageUp": 33, "ArrowRight": 39, "ArrowLeft": 37, "Escape": 27, "p": 80}


def find_chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    def __init__(self, program):
        self.profile = tempfile.TemporaryDirectory(prefix="iolab-browser-", ignore_cleanup_errors=True)
        orders, self.out = os.pipe()
        self.inward, answers = os.pipe()
        # Numbers above those that bash is to set, so that it cannot set one before it has read it.
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (orders, answers)]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{high[0]} 4>&{high[1]}', "bash", program, *FLAGS]
            + [f"--user-data-dir={self.profile.name}", "about:blank"],
            pass_fds=high,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (orders, answers, *high):
            os.close(end)
        self.last, self.unread, self.events = 0, b"", []

    def close(self):
        try:
            self.order("Browser.close")
            self.process.wait(PATIENCE_S)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        os.close(self.inward)
        self.profile.cleanup()

    def order(self, method, session=None, **parameters):
        """The result of one order; events that come meanwhile are kept."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        answer = self._next(lambda heard: heard.get("id") == self.last)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def wait_for(self, method, session):
        def is_wanted(heard):
            return heard.get("method") == method and heard.get("sessionId") == session

        return next(filter(is_wanted, self.events), None) or self._next(is_wanted)

    def _next(self, is_wanted):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            while b"\0" in self.unread:
                whole, _, self.unread = self.unread.partition(b"\0")
                heard = json.loads(whole)
                if "method" in heard:
                    self.events.append(heard)
                if is_wanted(heard):
                    return heard
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.inward], [], [], left)[0]:
                raise RuntimeError(f"the browser was silent for {PATIENCE_S} s")
            more = os.read(self.inward, 1 << 20)
            if not more:
                raise RuntimeError("the browser has ended")
            self.unread += more

    def open(self, address, width=1280, height=720, scripts=True, dark=False, offline=False):
        """A tab in which the page has been loaded."""
        return Tab(self, address, width, height, scripts, dark, offline)


class Tab:
    def __init__(self, browser, address, width, height, scripts, dark, offline):
        self.browser = browser
        self.target = browser.order("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.order("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.order(f"{domain}.enable")
        self.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.order("Emulation.setEmulatedMedia", features=[scheme])
        if not scripts:
            self.order("Emulation.setScriptExecutionDisabled", value=True)
        if offline:
            speeds = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
            self.order("Network.emulateNetworkConditions", offline=True, **speeds)
        self.order("Page.navigate", url=address)
        browser.wait_for("Page.loadEventFired", self.session)

    def resize(self, width, height):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.order("Emulation.setDeviceMetricsOverride", **size)

    def close(self):
        """Many large pages at once need more memory than a small machine has."""
        self.browser.order("Target.closeTarget", targetId=self.target)

    def order(self, method, **parameters):
        return self.browser.order(method, self.session, **parameters)

    def evaluate(self, expression, waits=False):
        """The value of an expression in the page, of a promise what it comes to if the tab `waits` for it.

        Works with the page's own scripts off, too.
        """
        done = self.order("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=waits)
        if "exceptionDetails" in done:
            raise RuntimeError(f"{expression}: {done['exceptionDetails']}")
        return done["result"].get("value")

    def heard(self, method):
        return [
            event["params"]
            for event in self.browser.events
            if event["method"] == method and event.get("sessionId") == self.session
        ]

    def requested(self):
        return [event["request"]["url"] for event in self.heard("Network.requestWillBeSent")]

    def complaints(self):
        """What a reader would find in the console."""
        return (
            [event["entry"] for event in self.heard("Log.entryAdded")]
            + self.heard("Runtime.exceptionThrown")
            + [event for event in self.heard("Runtime.consoleAPICalled") if event["type"] in ("error", "warning")]
        )

    def click(self, selector):
        where = self.evaluate(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.order(
                "Input.dispatchMouseEvent", type=kind, x=where[0], y=where[1], button="left", clickCount=1
            )

    def press(self, key):
        for kind in ("rawKeyDown", "keyUp"):
            self.order("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=KEYS[key])

    def save_screenshot(self, path):
        path.write_bytes(base64.b64decode(self.order("Page.captureScreenshot")["data"]))

    def lay_out_for_paper(self):
        """By the rules for a printer, on a sheet as wide as this tab, with open what the page opens for it."""
        self.order("Emulation.setEmulatedMedia", media="print")
        self.evaluate("void dispatchEvent(new Event('beforeprint'))")

    def save_print(self, path):
        path.write_bytes(base64.b64decode(self.order("Page.printToPDF", preferCSSPageSize=True)["data"]))
