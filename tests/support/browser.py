"""A page in a real browser, and what can be seen of it."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.image import imread
from playwright.sync_api import Browser, Page, Playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SOFTWARE_GL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
NO_GL = ("--disable-gpu", "--disable-3d-apis")
DRAWN, DONE = 180.0, 60.0
"""Seconds, enough for two busy cores that have to draw what graphics cards are made for."""

PLAINLY = """() => globalThis.atomsight.view?.plugin.canvas3d.setProps({
  multiSample: { mode: "off" },
  postprocessing: { occlusion: { name: "off", params: {} } },
})"""


def program() -> str | None:
    """The browser of this machine."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """Start the browser."""
    # a sandbox is refused to root, and there is none in many containers
    return playwright.chromium.launch(
        executable_path=program(), args=[*arguments, "--no-sandbox", "--disable-dev-shm-usage"]
    )


def has_to_run() -> bool:
    """Whether a machine without a browser is a failure: where changes are checked it is."""
    return bool(os.environ.get("CI"))


@dataclass
class Opened:
    """A page that is open, with the network off, and what went wrong in it."""

    page: Page
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def js(self, code: str, *argument: object):
        return self.page.evaluate(code, *argument)

    def view(self) -> np.ndarray:
        """Pixels of the 3-D view, shape (height, width, 3), 0 to 255."""
        return pixels(self.page.locator("#view").screenshot())

    def camera(self) -> np.ndarray:
        """What the camera looks at, Å."""
        return np.array(self.js("atomsight.view.camera().target"))

    def chosen(self) -> str | None:
        """The residue that the page names as chosen."""
        names = self.page.locator("#chosen h3").all_inner_texts()
        return names[0] if names else None

    def marked(self) -> list[str]:
        """Residues that are marked in the table."""
        return self.page.locator("#residue-table tr[aria-current=true] th").all_inner_texts()

    def changed(self, before: np.ndarray, act: Callable[[], object]) -> np.ndarray:
        """Do something, and wait until the view shows something else."""
        act()
        return until(lambda: (after := self.view()), lambda after: differs(before, after))

    def whole(self) -> None:
        """Nothing chosen in the view, the whole model in it."""
        self.page.click("#reset")

    def on_model(self) -> tuple[float, float]:
        """A place on the screen that shows the model, the map aside."""
        self.page.uncheck("#show-map")
        x, y = solid(until(self.view, lambda picture: colours(picture) > 100))
        box = self.page.locator("#view").bounding_box()
        return box["x"] + x, box["y"] + y

    def label_at(self, x: float, y: float) -> str:
        """What the label says where the pointer rests."""
        label = self.page.locator(".msp-highlight-info")

        def look() -> str:
            # a hand is never quite still
            self.page.mouse.move(x - 1, y)
            self.page.mouse.move(x, y)
            self.page.wait_for_timeout(600)
            return "".join(label.all_inner_texts())

        return until(look, lambda said: "Q-score" in said)

    def choose_at(self, x: float, y: float) -> None:
        """Rest at a place of the view, and click there."""
        self.label_at(x, y)
        self.page.mouse.click(x, y, delay=150)

    def click(self, x: float, y: float) -> None:
        """Go there and click, no faster than a hand."""
        self.page.mouse.move(x, y)
        self.page.mouse.click(x, y, delay=150)


def open_page(browser: Browser, path: Path, width=1100, height=640, **options) -> Opened:
    """Open a file, and wait until all of it is drawn."""
    context = browser.new_context(
        offline=True,
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        **options,
    )
    opened = Opened(context.new_page())
    page = opened.page
    page.set_default_timeout(1000 * DONE)
    page.on("console", lambda m: opened.problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: opened.problems.append(str(error)))
    page.on("request", lambda request: opened.requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready=yes]", state="attached", timeout=1000 * DRAWN)
    opened.js(PLAINLY)
    return opened


def pixels(png: bytes) -> np.ndarray:
    """A picture as colours, 0 to 255."""
    values = imread(BytesIO(png), format="png")
    return np.rint(255 * values[..., :3]).astype(int)


def differs(one: np.ndarray, two: np.ndarray, share: float = 2e-4) -> bool:
    """Whether two pictures differ in more than a few pixels."""
    return one.shape != two.shape or (np.abs(one - two).max(axis=2) > 24).mean() > share


def colours(picture: np.ndarray) -> int:
    """Number of different colours."""
    return len(np.unique(picture.reshape(-1, 3), axis=0))


def until(look: Callable[[], object], good: Callable[[object], bool]):
    """Look again and again until it is good; what was seen."""
    end = time.monotonic() + DONE
    while not good(seen := look()):
        assert time.monotonic() < end, f"not within {DONE} s: {str(seen)[:200]}"
        time.sleep(0.05)
    return seen


def solid(picture: np.ndarray, half: int = 4) -> tuple[int, int]:
    """A place (x, y) near the middle of a picture where all around it is drawn."""
    background = picture[2, 2]
    drawn = np.abs(picture - background).max(axis=2) > 40
    height, width = drawn.shape
    full = np.ones_like(drawn)
    for dy in range(-half, half + 1):
        for dx in range(-half, half + 1):
            full &= np.roll(drawn, (dy, dx), (0, 1))
    ys, xs = np.nonzero(full)
    assert len(ys), "nothing is drawn"
    nearest = np.argmin((ys - height / 2) ** 2 + (xs - width / 2) ** 2)
    return int(xs[nearest]), int(ys[nearest])
