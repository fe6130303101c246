"""Drives a headless Chromium through the console and prints what it saw, as JSON.

    browse.py BASE TOKEN FOLDER PATH...

Signs in with the token by the form, opens each path at the width of a phone and of a desk, light and
dark, and keeps a picture of each in the folder. Scripts of pages are switched off. Of a path that has a
form it fills the form in and sends it, once, at the end. Exit code 77 says that the browser or its
client is not installed.
"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

try:
    import websocket
except ImportError:
    sys.exit(77)

CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
WIDTHS = {"phone": (390, 844), "desk": (1280, 900)}
PATIENCE = 60

# The least contrast of a text with what it stands on (WCAG 2.1), over all texts of a page.
CONTRAST = """(() => {
  const light = (rgb) => {
    const part = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(rgb[0]) + 0.7152 * part(rgb[1]) + 0.0722 * part(rgb[2]);
  };
  const rgba = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  let least = 21;
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const [one, other] = [light(rgba(getComputedStyle(element).color)), light(ground(element))];
    least = Math.min(least, (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05));
  }
  return least;
})()"""


class Browser:
    """A browser, spoken to over its debugging protocol."""

    def __init__(self, home):
        arguments = ["--headless=new", "--remote-debugging-port=0", f"--user-data-dir={home}",
                     "--remote-allow-origins=*", "--no-first-run", "--disable-gpu",
                     "--disable-dev-shm-usage", "--hide-scrollbars"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([CHROMIUM, *arguments, "about:blank"], **quiet)
        port = wait(lambda: port_in(home))
        listed = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json"))
        page = next(one for one in listed if one["type"] == "page")
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=PATIENCE)
        self.number, self.said, self.loaded = 0, [], 0
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")
        self.call("Emulation.setScriptExecutionDisabled", value=True)

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.hear(message)

    def hear(self, message):
        method, what = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self.loaded += 1
        elif method == "Log.entryAdded":
            self.said.append(what["entry"]["text"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.said.append(json.dumps(what))
        elif method == "Network.loadingFailed" and not what.get("canceled"):
            self.said.append(what["errorText"])
        elif method == "Network.responseReceived" and what["response"]["status"] >= 400:
            self.said.append(f"{what['response']['status']} {what['response']['url']}")

    def until_loaded(self, step):
        before = self.loaded
        step()
        while self.loaded == before:
            self.hear(json.loads(self.socket.recv()))

    def look(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def open(self, url):
        self.until_loaded(lambda: self.call("Page.navigate", url=url))

    def write(self, field, text):
        self.look(f"document.querySelector({json.dumps(field)}).focus()")
        self.call("Input.insertText", text=text)

    def choose(self, field, word):
        self.look(f"document.querySelector({json.dumps(field)}).value = {json.dumps(word)}")

    def press(self, button):
        find = f"document.querySelector({json.dumps(button)})"
        self.look(f"{find}.scrollIntoView({{block: 'center'}})")
        box = self.look(f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
                        f"({find}.getBoundingClientRect())")
        mouse = {"x": box[0], "y": box[1], "button": "left", "clickCount": 1}

        def click():
            self.call("Input.dispatchMouseEvent", type="mousePressed", **mouse)
            self.call("Input.dispatchMouseEvent", type="mouseReleased", **mouse)

        self.until_loaded(click)

    def size(self, name, scheme):
        width, height = WIDTHS[name]
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=name == "phone")
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, file):
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def first_focus(self):
        key = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
        self.call("Input.dispatchKeyEvent", type="keyDown", **key)
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)
        return self.look("document.activeElement.textContent")


def wait(found):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if (what := found()) is not None:
            return what
        time.sleep(0.05)
    raise RuntimeError("the browser does not listen")


def port_in(home):
    file = pathlib.Path(home) / "DevToolsActivePort"
    lines = file.read_text().splitlines() if file.exists() else []
    return int(lines[0]) if lines else None


def resolve(browser):
    browser.choose("#resolution", "uphold_incumbent")
    browser.choose("#criterion", "opportunity_history")
    browser.write("#note", "Decided by hand, in a browser")
    browser.press("main form button")
    status = browser.look("document.querySelector('[role=status]')?.textContent")
    return status or browser.look("document.querySelector('[role=alert]')?.textContent")


def tour(browser, base, token, folder, paths):
    browser.open(f"{base}/")
    browser.write("#token", token)
    browser.press("main form button")
    signed_in = browser.look("location.pathname")
    seen, form = [], None
    for path in ["/sign-in", *paths]:
        for name in WIDTHS:
            for scheme in ["light", "dark"]:
                browser.size(name, scheme)
                browser.said.clear()
                browser.open(base + path)
                word = path.strip("/").split("?")[0].replace("/", "-") or "start"
                browser.picture(pathlib.Path(folder) / f"{word}-{name}-{scheme}.png")
                seen.append({
                    "path": path, "width": name, "scheme": scheme, "said": list(browser.said),
                    "title": browser.look("document.title"),
                    "wider": browser.look("document.documentElement.scrollWidth - innerWidth"),
                    "contrast": browser.look(CONTRAST),
                    "focus": browser.first_focus(),
                })
        if browser.look("document.querySelector('#resolution') !== null"):
            form = path
    browser.open(base + form)
    return {"signed_in": signed_in, "seen": seen, "resolved": resolve(browser)}


def main(base, token, folder, *paths):
    if CHROMIUM is None:
        sys.exit(77)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        browser = Browser(home)
        try:
            print(json.dumps(tour(browser, base, token, folder, paths)))
        finally:
            browser.process.terminate()
            browser.process.wait()


main(*sys.argv[1:])
