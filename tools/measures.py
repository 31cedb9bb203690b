"""What the audit asks of a page in the browser: axe, width, clipped words, bytes and requests, paint under a slow line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Page

from script.support.places import NODE_MODULES

AXE = NODE_MODULES / "axe-core" / "axe.min.js"
OF_COLOUR = ("color-contrast", "link-in-text-block")
"""All that axe may find in the dark and did not find by light."""

LARGE_TEXT = "30px"
ZOOMED = {"width": 195, "height": 422}
"""A phone of 390 pixels zoomed to 200 %."""

OVERFLOW = """() => {
  const room = document.documentElement.clientWidth; // a phone's innerWidth grows with what is too wide for it
  const wide = document.documentElement.scrollWidth - room;
  if (wide <= 1) return [];
  const scrolls = (element) => { for (let up = element.parentElement; up && up !== document.body; up = up.parentElement)
    if (/auto|scroll|hidden|clip/.test(getComputedStyle(up).overflowX)) return true; return false; };
  const guilty = [...document.body.querySelectorAll('*')].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width && box.right > room + 1 && !scrolls(element); });
  return [`${wide} px too wide: ` + guilty.slice(-2).map((element) => `${element.localName}.${element.getAttribute('class')}`).join(', ')];
}"""

CLIPPED = """() => { // a label is a piece of paper of one size: what it cannot hold stands on the order
  const hidden = (element) => { const style = getComputedStyle(element);
    return style.visibility === 'hidden' || style.display === 'none' || style.clipPath !== 'none'
      || element.closest('[hidden], .visually-hidden, .label, svg, dialog:not([open])'); };
  const found = [];
  for (const element of document.body.querySelectorAll('*')) {
    if (!element.innerText?.trim() || hidden(element)) continue;
    const style = getComputedStyle(element);
    const across = /hidden|clip/.test(style.overflowX) ? element.scrollWidth - element.clientWidth : 0;
    const down = /hidden|clip/.test(style.overflowY) && element.clientHeight ? element.scrollHeight - element.clientHeight : 0;
    if (across > 2 || down > 8) found.push(`${element.localName}.${element.getAttribute('class')} ${across} across, ${down} down: `
      + element.innerText.trim().replace(/\\s+/g, ' ').slice(0, 24));
  }
  return found.slice(0, 5);
}"""

RUN_AXE = """(rules) => axe.run(document, {resultTypes: ['violations'], ...(rules.length ? {runOnly: rules} : {})}).then(({violations}) =>
  violations.map(({id, nodes}) => `${id} (${nodes.length}): ${nodes[0].target.join(' ')}`))"""

ONE_NAME = """() => { // what is read of a control out of its place: two that do different things must not sound the same
  axe.setup(document.documentElement);
  const secret = new Set(['csrf_token', 'next']);
  const hidden = (form) => [...form.querySelectorAll('input[type=hidden]')].filter(({name}) => !secret.has(name));
  const sent = (control) => [control.form.getAttribute('action') ?? '', control.formAction === location.href ? '' : control.formAction,
    ...[...hidden(control.form), control].map(({name, value}) => `${name}=${value}`)].join(' ');
  const goes = (link) => `to ${link.href.split('#')[0]}${link.getAttribute('href').startsWith('#') ? link.hash : ''}`;
  const leads = (control) => control.localName === 'a' ? goes(control)
    : control.form && control.type === 'submit' ? 'sends ' + sent(control) : 'is ' + [...document.querySelectorAll('*')].indexOf(control);
  const found = new Map();
  const controls = 'a[href], button, summary, [role=button], input:not([type=hidden], [type=radio]), select, textarea';
  for (const control of document.querySelectorAll(controls)) {
    if (!control.checkVisibility({visibilityProperty: true}) || control.closest('[aria-hidden=true]')) continue;
    const words = axe.commons.text.accessibleText(control).replace(/\\s+/g, ' ').trim();
    const name = words && `${axe.commons.aria.getRole(control) ?? control.localName} ${words}`;
    found.set(name, (found.get(name) ?? new Set()).add(leads(control)));
  }
  axe.teardown();
  return [...found].filter(([name, ways]) => name && ways.size > 1)
    .map(([name, ways]) => `${name} x ${ways.size}: ${[...ways].slice(0, 2).join(' | ')}`);
}"""

VITALS = """() => new Promise((done) => {
  const told = {lcp: 0, cls: 0, what: ''};
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) { told.lcp = entry.startTime;
    told.what = entry.element ? `${entry.element.tagName.toLowerCase()}.${entry.element.getAttribute('class')}` : entry.url; } })
    .observe({type: 'largest-contentful-paint', buffered: true});
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) told.cls += entry.value; })
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(told), 1500);
})"""

SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1_638_400 / 8, "uploadThroughput": 750_000 / 8}
SLOWER_PROCESSOR = 4


@dataclass
class Line:
    """What came over the wire while a page was opened by somebody who had nothing yet."""

    session: CDPSession
    received: int = 0
    addresses: dict[str, None] = field(default_factory=dict)
    """Each once, in order: whoever keeps what came does not ask twice for a picture that is also the page's icon."""

    @property
    def requests(self) -> int:
        return len(self.addresses)

    @classmethod
    def of(cls, context: BrowserContext, tab: Page) -> Line:
        line = cls(context.new_cdp_session(tab))
        line.session.send("Network.enable")
        line.session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        line.session.on("Network.requestWillBeSent", line.asked)
        line.session.on("Network.loadingFinished", line.finished)
        return line

    def asked(self, event: dict[str, Any]) -> None:
        url = event["request"]["url"]
        if url.startswith("http"):
            self.addresses[url] = None

    def finished(self, event: dict[str, Any]) -> None:
        self.received += int(event["encodedDataLength"])

    def begin(self) -> None:
        self.received, self.addresses = 0, {}


def load_axe(tab: Page) -> None:
    """It comes in by the debugger's door, so the page's own policy stays in force."""
    if not tab.evaluate("typeof window.axe === 'object'"):
        tab.evaluate(AXE.read_text(encoding="utf-8"))


def axe(tab: Page, *rules: str) -> list[str]:
    """What axe finds wrong, by these rules or by all."""
    load_axe(tab)
    found: list[str] = tab.evaluate(RUN_AXE, list(rules))
    return found


def same_names(tab: Page) -> list[str]:
    """Names that two controls share which do different things: links to different places, buttons that send different things."""
    load_axe(tab)
    found: list[str] = tab.evaluate(ONE_NAME)
    return found


def overflow(tab: Page) -> list[str]:
    """Whether the page is wider than the window, and by which elements."""
    found: list[str] = tab.evaluate(OVERFLOW)
    return found


SPACED = """() => { const sheet = new CSSStyleSheet();
  sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }'
    + 'p { margin-bottom: 2em !important; }');
  window.spacing = sheet; document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]; }"""
"""The spacing that a reader may choose (WCAG 1.4.12)."""
UNSPACED = "() => { document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== window.spacing); }"


def clipped_when_large(tab: Page) -> list[str]:
    """Words that are cut off, and width that is missing: with spaced text, text of 30 px, and on a phone zoomed to 200 %."""
    tab.evaluate(SPACED)
    found = [f"spaced, {each}" for each in tab.evaluate(CLIPPED)]
    tab.evaluate(UNSPACED)
    before = tab.viewport_size
    tab.evaluate(f"document.documentElement.style.fontSize = '{LARGE_TEXT}'")
    found += [f"30 px text, {each}" for each in [*tab.evaluate(CLIPPED), *tab.evaluate(OVERFLOW)]]
    tab.evaluate("document.documentElement.style.fontSize = ''")
    tab.set_viewport_size(ZOOMED)  # type: ignore[arg-type]
    found += [f"200 % zoom, {each}" for each in [*tab.evaluate(CLIPPED), *tab.evaluate(OVERFLOW)]]
    if before:
        tab.set_viewport_size(before)
    return found


def vitals(context: BrowserContext, address: str) -> dict[str, Any]:
    """Largest paint in milliseconds and layout shift of a first visit on a slow phone."""
    tab = context.new_page()
    line = context.new_cdp_session(tab)
    line.send("Network.enable")
    line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    line.send("Network.emulateNetworkConditions", SLOW_4G)
    line.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER_PROCESSOR})
    tab.goto(address, wait_until="load")
    told: dict[str, Any] = tab.evaluate(VITALS)
    tab.close()
    return told
