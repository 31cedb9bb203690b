"""What the voice says of a page: goods, sums, dates and codes as people say them; never a badge, a clock, a button."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.journeys.test_the_elder import A_VOICE
from tests.support.browsing import People, Visitor

pytestmark = pytest.mark.browser

# Markup, and what is said of it in Chinese and in English.
SAID = (
    ('<p><span class="visually-hidden">4 8 2</span><span aria-hidden="true">482</span></p>', "4 8 2", "4 8 2"),
    ("<p>482 193</p>", "4 8 2 1 9 3", "4 8 2 1 9 3"),
    ("<p>L261130-6N5QZ36F</p>", "L 2 6 1 1 3 0 6 N 5 Q Z 3 6 F", "L 2 6 1 1 3 0 6 N 5 Q Z 3 6 F"),
    ("<dl><div><dt>A</dt><dd>5110010015</dd></div></dl>", "A: 5 1 1 0 0 1 0 0 1 5", "A: 5 1 1 0 0 1 0 0 1 5"),
    ("<p>138 0000 0015</p>", "1 3 8 0 0 0 0 0 0 1 5", "1 3 8 0 0 0 0 0 0 1 5"),
    ("<p>138****0001</p>", "1 3 8, 0 0 0 1", "1 3 8, 0 0 0 1"),
    ("<p>0832-2000001</p>", "0 8 3 2 2 0 0 0 0 0 1", "0 8 3 2 2 0 0 0 0 0 1"),
    ('<p class="price"><span class="price-sign">¥</span>1,043<span class="price-fen">.60</span></p>', "1043.6元", "1043.6 yuan"),
    ("<p>¥12.00</p>", "12元", "12 yuan"),
    ("<p>¥5.80/jin</p>", "5.8元每jin", "5.8 yuan per jin"),
    ("<p>¥5.80/jin <span>× 3</span></p>", "5.8元每jin，数量3", "5.8 yuan per jin, quantity 3"),
    ("<p>−¥5.05</p>", "减5.05元", "minus 5.05 yuan"),
    ("<p>-¥5.05</p>", "减5.05元", "minus 5.05 yuan"),
    ("<p>¥-5.05</p>", "减5.05元", "minus 5.05 yuan"),
    ("<p>–¥5.05</p>", "减5.05元", "minus 5.05 yuan"),
    ("<p>+¥500.00</p>", "收入500元", "plus 500 yuan"),
    ("<p>2026-11-30 07:33</p>", "2026年11月30日 07:33", "30 November 2026 07:33"),
    ("<p>08:30–20:30</p>", "08:30到20:30", "08:30 to 20:30"),
    ("<p>12345 g · 2 kg</p>", "12345 g，2 kg", "12345 g, 2 kg"),
    ('<div class="between"><strong>A</strong><span>¥1.50</span></div>', "A|1.5元", "A|1.5 yuan"),
    ('<div class="stepper" data-tells-here="Figs: 2"><button>-</button><output>2</output></div>', "Figs: 2", "Figs: 2"),
    ('<p>A <span class="badge-count">3</span></p>', "A", "A"),
    ('<p role="timer">Time left 13:34:48</p>', "", ""),
    ("<button>+</button><a class='btn' href='/'>Pay</a><nav>Home</nav>", "", ""),
    ("<p>+</p><p>▸ More</p><p>–</p>", "More", "More"),
    ("<select><option>One</option></select><label>Name <input value='x'></label>", "Name", "Name"),
)  # fmt: skip


def said_of(page: Page, markup: str) -> str:
    page.evaluate(
        "markup => { window.spoken.length = 0; const main = document.querySelector('main');"
        " main.replaceChildren(document.createRange().createContextualFragment(markup)); }",
        markup,
    )
    button = page.locator(".elder-tools .read-aloud")
    button.click()
    spoken: list[str] = page.evaluate("window.spoken")
    if button.get_attribute("aria-pressed"):
        button.click()
    return "|".join(spoken)


def elder(people: People, language: str) -> Visitor:
    somebody = people.visitor(f"elder {language}", "", language)
    chosen = (("locale", language), ("elder_mode", "1"))
    somebody.context.add_cookies([{"name": name, "value": value, "url": people.house.address()} for name, value in chosen])
    somebody.context.add_init_script(A_VOICE.replace("'zh-CN'", "'zh-CN'" if language == "zh" else "'en-US'"))
    return somebody


@pytest.mark.parametrize(("language", "column"), [("zh", 1), ("en", 2)])
def test_everything_is_said_as_people_say_it(people: People, language: str, column: int) -> None:
    somebody = elder(people, language)
    somebody.open("/help")
    somebody.page.locator(".elder-tools .read-aloud").wait_for()
    assert {row[0]: said_of(somebody.page, row[0]) for row in SAID} == {row[0]: row[column] for row in SAID}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_whole_pages_are_read_without_what_is_pressed_or_runs(people: People, language: str) -> None:
    somebody = elder(people, language)
    for path in ("/", "/categories/vegetables", "/products/rice", "/cart", "/help"):
        somebody.open(path)
        button = somebody.page.locator(".elder-tools .read-aloud")
        button.click()
        spoken: list[str] = somebody.page.evaluate("window.spoken")
        assert spoken, path
        pressed = somebody.page.locator("main").get_by_role("button").all_inner_texts()
        for sentence in spoken:
            assert not set("¥+▸") & set(sentence), (path, sentence)
            assert any(letter.isalnum() for letter in sentence), (path, sentence)
            assert sentence not in {text.strip() for text in pressed if text.strip()}, (path, sentence)
