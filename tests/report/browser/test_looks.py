"""Light, dark, narrow and printed: everything can be read, nothing sticks out."""

import numpy as np
import pytest

from tests.support.browser import Opened, until

pytestmark = pytest.mark.xdist_group("browser")

TEXTS = """() => {
  const rgba = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const background = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      layers.push(rgba(getComputedStyle(one).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || element.closest("script, style, #view, option, .modebar, noscript")) continue;
    if (!element.checkVisibility() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ink = element.closest("svg") ? style.fill : style.color;
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 600;
    found.push({ text: text.slice(0, 60), ink: rgba(ink), below: background(element),
      large: size >= 24 || (bold && size >= 18.66) });
  }
  for (const element of document.querySelectorAll("main input, main select")) {
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element, element.placeholder ? "::placeholder" : null);
    found.push({ text: element.placeholder || element.id, ink: rgba(style.color),
      below: background(element), large: false });
  }
  return found;
}"""


def luminance(colour) -> float:
    channels = np.asarray(colour[:3], dtype=float) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, two) -> float:
    """WCAG 2.2, relative luminance."""
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


def hard_to_read(opened: Opened) -> list[tuple[str, float]]:
    """Texts whose contrast is below what WCAG asks for at level AA."""
    texts = opened.js(TEXTS)
    assert len(texts) > 100
    bad = []
    for one in texts:
        least = 3.0 if one["large"] else 4.5
        found = contrast(one["ink"], one["below"])
        if found < least:
            bad.append((one["text"], round(found, 2)))
    return bad


def ink(opened: Opened, selector: str) -> str:
    return opened.js("s => getComputedStyle(document.querySelector(s)).fill", selector)


def draw_all(opened: Opened) -> None:
    """Plots that are far down, too, and a residue with its profile."""
    opened.js("atomsight.plots.cards.forEach((card) => atomsight.plots.draw(card))")
    opened.js("atomsight.selection.choose(3)")
    opened.page.locator("#chosen .main-svg").first.wait_for()


def test_the_contrast_of_known_colours():
    assert contrast([0, 0, 0], [255, 255, 255]) == pytest.approx(21.0)
    assert contrast([118, 118, 118], [255, 255, 255]) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read(small_page: Opened, theme):
    draw_all(small_page)
    small_page.page.emulate_media(color_scheme=theme)
    for name in ("Verdict", "Q-score"):
        small_page.page.select_option("#score", name)
        # plots follow when the browser has told them
        until(lambda: hard_to_read(small_page), lambda bad: bad == [])


def test_what_is_missing_can_be_read_too(mapless: Opened):
    for theme in ("light", "dark"):
        mapless.page.emulate_media(color_scheme=theme)
        until(lambda: hard_to_read(mapless), lambda bad: bad == [])


def test_the_button_switches_everything(small_page: Opened):
    page = small_page.page
    draw_all(small_page)
    picture = small_page.view()
    plots = (".figure .xtitle", "#chosen .xtitle")
    light = [ink(small_page, one) for one in plots]
    assert max(luminance(picture[2, 2]), 0) > 0.9
    dark = small_page.changed(picture, lambda: page.click("#theme"))
    assert luminance(dark[2, 2]) < 0.05
    assert page.locator("html").get_attribute("data-theme") == "dark"
    until(lambda: [ink(small_page, one) for one in plots], lambda now: now[0] != light[0])
    until(lambda: [ink(small_page, one) for one in plots], lambda now: now[1] != light[1])
    assert hard_to_read(small_page) == []
    small_page.changed(small_page.view(), lambda: page.click("#theme"))
    assert page.locator("html").get_attribute("data-theme") == "light"
    assert [ink(small_page, one) for one in plots] == light
    small_page.js("() => { delete document.documentElement.dataset.theme; }")


def test_the_preference_of_the_system_is_followed(small_page: Opened):
    picture = small_page.view()
    draw_all(small_page)
    light = ink(small_page, ".figure .xtitle")
    dark = small_page.changed(picture, lambda: small_page.page.emulate_media(color_scheme="dark"))
    assert luminance(dark[2, 2]) < 0.05
    assert small_page.js("getComputedStyle(document.body).backgroundColor") == "rgb(15, 18, 23)"
    until(lambda: ink(small_page, ".figure .xtitle"), lambda now: now != light)


@pytest.mark.parametrize("width", [1280, 800, 390, 320])
def test_nothing_sticks_out_at_the_side(small_page: Opened, width):
    page = small_page.page
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 640})
    try:
        draw_all(small_page)
        scroll, client = small_page.js(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert scroll <= client == width
        outside = small_page.js(
            """() => [...document.querySelectorAll("main *")]
              .filter((one) => !one.closest(".scroll, svg, #view, .modebar"))
              .filter((one) => one.checkVisibility())
              .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
              .map((one) => one.className || one.tagName)"""
        )
        assert outside == []
    finally:
        page.set_viewport_size(before)


@pytest.mark.parametrize("width", [1100, 390])
def test_no_control_lies_over_another(small_page: Opened, width):
    page = small_page.page
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 640})
    try:
        over = small_page.js(
            """() => {
              const all = [...document.querySelectorAll(
                ".controls select, .controls button, .controls input, .controls output")]
                .filter((one) => one.checkVisibility());
              const pairs = all.flatMap((a, i) => all.slice(i + 1).map((b) => [a, b]));
              return pairs.filter(([a, b]) => {
                const p = a.getBoundingClientRect(), q = b.getBoundingClientRect();
                return p.left < q.right - 1 && q.left < p.right - 1 &&
                  p.top < q.bottom - 1 && q.top < p.bottom - 1;
              }).map((pair) => pair.map((one) => one.id || one.textContent));
            }"""
        )
        assert over == []
        # nor sticks out of the card around it
        card = page.locator(".viewer").bounding_box()
        for one in page.locator("#view-controls output, #view-controls select").all():
            box = one.bounding_box()
            assert box["x"] + box["width"] <= card["x"] + card["width"] - 10
    finally:
        page.set_viewport_size(before)


def test_print_is_on_white(small_page: Opened):
    page = small_page.page
    draw_all(small_page)
    page.emulate_media(media="print", color_scheme="dark")
    for selector in ("body", ".hero", ".figure", "#residues"):
        colour = small_page.js(
            "s => getComputedStyle(document.querySelector(s)).backgroundColor", selector
        )
        assert colour == "rgb(255, 255, 255)", selector
    assert ink(small_page, ".figure .xtitle") == "rgb(0, 0, 0)"
    for selector in ("#view", "#view-controls", ".chosen-card", "#theme", ".step button"):
        assert not page.locator(selector).first.is_visible()
    # which plot of a group it is
    assert page.locator(".step select").first.is_visible()
    assert hard_to_read(small_page) == []


def test_every_plot_is_printed(small_page: Opened):
    small_page.page.locator("[data-figure]").first.wait_for()
    small_page.js("dispatchEvent(new Event('beforeprint'))")
    cards = small_page.page.locator("[data-figure]")
    assert small_page.page.locator("[data-figure]:has(.main-svg)").count() == cards.count()
