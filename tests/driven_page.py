"""A page driven in a browser without a window: its own buttons pressed, its squares pointed at, what it then shows read."""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# A step of a script is [what, ...]: "click" an element by its id, "set" an input to a value, "key" pressed in the page, "focus"
# the k-th element of a selector, "wait" for milliseconds, "hold" the texts of a selector's elements, or "point" at a row and a
# column of a canvas by the beginning of its label, and hold what is told there, or "press" it at a share of its width. What is
# held comes back in order.
_DRIVER = """
<script type="module">
const steps = STEPS, held = [], errors = [];
window.addEventListener("error", (event) => errors.push(event.message));
window.addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const byId = (id) => document.getElementById(id);
const labelled = (label) => [...document.querySelectorAll("canvas")].find((one) => one.ariaLabel.startsWith(label));
const does = {
  click: (id) => byId(id).click(),
  set(id, value) {
    byId(id).value = value;
    for (const event of ["input", "change"]) byId(id).dispatchEvent(new Event(event));
  },
  key: (key, shiftKey = false) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true })),
  wait,
  focus: (selector, k) => document.querySelectorAll(selector)[k].focus(),
  hold(selector) {
    held.push([...document.querySelectorAll(selector)].map((one) => (one.matches("input") ? one.value : one.textContent)));
  },
  point(label, rows, columns, row, column) {
    const canvas = labelled(label);
    const box = canvas.getBoundingClientRect();
    const clientX = box.left + ((column + 0.5) * box.width) / columns, clientY = box.top + ((row + 0.5) * box.height) / rows;
    canvas.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, pointerType: "mouse" }));
    held.push([byId("told").textContent]);
  },
  press(label, share) {
    const box = labelled(label).getBoundingClientRect(), clientX = box.left + share * box.width;
    labelled(label).dispatchEvent(new PointerEvent("pointerdown", { clientX, clientY: box.top + 1, buttons: 1 }));
  },
};
while (!document.body.classList.contains("ready") && !errors.length) await wait(20);
for (const [what, ...how] of steps) await does[what](...how);
const out = document.createElement("pre");
out.id = "held";
out.textContent = JSON.stringify({ held, errors });
document.body.append(out);
</script>
"""


def drive(
    page: str, steps: Sequence[Sequence[Any]], folder: Path, fragment: str = "", size: str = "1400,1600"
) -> list[list[str]]:
    """What a page showed when asked to, step by step; fails if it raised an error or asked for anything from elsewhere."""
    assert BROWSER is not None
    path = folder / "driven.html"
    path.write_text(page.replace("</body>", _DRIVER.replace("STEPS", json.dumps(steps)) + "</body>"), encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
               f"--window-size={size}", "--virtual-time-budget=60000", "--dump-dom", f"{path.as_uri()}{fragment}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    found = re.search(r'<pre id="held">(.*?)</pre>', done.stdout, re.S)
    assert found, "the script on the page did not come to its end"
    told = json.loads(unescape(found[1]))
    assert told["errors"] == []
    return [list(map(str, texts)) for texts in told["held"]]
