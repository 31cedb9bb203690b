"""Everything people read has Chinese words, and templates hold none themselves. Each check is shown to catch what breaks it."""

from __future__ import annotations

import io
from pathlib import Path

import jinja2
import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from flask import Flask
from jinja2 import meta

from shop.platform import catalogues
from tests.architecture import sentences
from tests.architecture.sentences import chinese_in, lost_places, said_in, said_in_the_shop, templates, unreadable_catalogues, untranslated
from tests.architecture.syntax import ROOT

pytestmark = pytest.mark.one_engine

PYTHON, JINJA = "python", "jinja2.ext:babel_extract"


def test_every_sentence_has_chinese_words() -> None:
    catalogue, _conflicts = catalogues.joined()
    missing = untranslated(said_in_the_shop(), catalogue)
    assert not missing, missing


def test_no_two_areas_translate_one_sentence_differently() -> None:
    _catalogue, conflicts = catalogues.joined()
    assert conflicts == []


def test_every_catalogue_can_be_read_and_is_finished() -> None:
    assert unreadable_catalogues(catalogues.TRANSLATIONS / "zh") == []
    assert len(catalogues.areas()) > 5


def test_translations_keep_the_facts_of_their_sentence() -> None:
    catalogue, _conflicts = catalogues.joined()
    assert lost_places(catalogue) == []


def test_templates_hold_no_chinese() -> None:
    assert chinese_in(templates()) == []


def test_every_template_compiles_and_finds_what_it_includes(app: Flask) -> None:
    names = [name for name in templates() if not name.startswith(".")]
    assert len(names) > 40
    wrong = []
    for name in names:
        try:
            app.jinja_env.compile(templates()[name], name=name)
            included = meta.find_referenced_templates(app.jinja_env.parse(templates()[name]))
            wrong += [f"{name} includes {other}, which is not there" for other in included if other is not None and other not in names]
        except jinja2.TemplateError as error:
            wrong.append(f"{name}: {error}")
    assert wrong == []


def test_templates_bring_no_script_and_no_style_of_their_own() -> None:
    assert sentences.inline_code(templates()) == []


# Planted: each check must be able to fail.


def catalogue_of(**said: str) -> Catalog:
    made = Catalog(locale="zh")
    for text, words in said.items():
        made.add(text, words)
    return made


@pytest.mark.parametrize(
    ("method", "source"),
    [
        (PYTHON, b"flash(_('Hello'))"),
        (PYTHON, b"label = lazy_gettext('Hello')"),
        (PYTHON, b"class Gone:\n    message = sentence('Hello')"),
        (JINJA, b"<p>{{ _('Hello') }}</p>"),
        (JINJA, b"{% call row(title=_('Hello')) %}{% endcall %}"),
        (JINJA, b"{% trans %}Hello{% endtrans %}"),
    ],
)
def test_an_untranslated_sentence_is_caught(method: str, source: bytes) -> None:
    said = tuple(said_in(method, source, "here"))
    assert [text for text, _place in said] == ["Hello"]
    assert f'# {said[0][1]}\nmsgid "Hello"\nmsgstr ""\n' in untranslated(said, Catalog(locale="zh"))
    assert untranslated(said, catalogue_of(Hello=""))
    assert untranslated(said, catalogue_of(Hello="你好")) == ""


def test_all_that_is_missing_is_told_at_once_as_entries_that_can_be_pasted() -> None:
    said = [('Say "yes"', "a:1"), (("%(num)s day", "%(num)s days"), "b:2"), ("Say no", "c:3"), ("Say no", "d:4")]
    told = untranslated(said, Catalog(locale="zh"))
    assert told.startswith("3 without Chinese words.")
    pasted = read_po(io.BytesIO(told.split("\n\n", 1)[1].encode()), abort_invalid=True)
    assert [message.id for message in pasted if message.id] == ['Say "yes"', ("%(num)s day", "%(num)s days"), "Say no"]


def test_a_counted_sentence_with_an_uncounted_translation_is_caught() -> None:
    said = tuple(said_in(JINJA, b"{{ ngettext('%(num)s order', '%(num)s orders', 3) }}", "here"))
    assert said == ((("%(num)s order", "%(num)s orders"), "here:1"),)
    plain, counted = Catalog(locale="zh"), Catalog(locale="zh")
    plain.add("%(num)s order", "%(num)s 单")
    counted.add(("%(num)s order", "%(num)s orders"), ("%(num)s 单",))
    assert untranslated(said, plain)
    assert untranslated(said, counted) == ""


def test_a_translation_that_loses_a_fact_is_caught() -> None:
    made = Catalog(locale="zh")
    made.add("%(count)s left", "剩下 %(number)s")
    assert lost_places(made) == ["'%(count)s left' names ['count'], its translation ['number']"]
    good = Catalog(locale="zh")
    good.add("%(count)s left", "剩下 %(count)s")
    assert lost_places(good) == []


def test_chinese_in_a_template_is_caught() -> None:
    assert chinese_in({"a.html": "<p>Hello</p>\n<p>你好</p>"}) == ["a.html:2 has Chinese characters: <p>你好</p>"]


def test_inline_code_is_caught() -> None:
    bad = ("<script>go()</script>", '<p style="color: red">', "<style>p {}</style>", '<a onclick="go()">', '<a href="javascript:go()">')
    for source in bad:
        assert sentences.inline_code({"a.html": source}), source
    assert sentences.inline_code({"a.html": '<script type="module" src="/app.js"></script><p class="style">onward</p>'}) == []


def test_a_catalogue_that_cannot_be_read_or_is_not_finished_is_caught(tmp_path: Path) -> None:
    (tmp_path / "good.po").write_text('msgid "Hello"\nmsgstr "你好"\n', encoding="utf-8")
    assert unreadable_catalogues(tmp_path) == []
    (tmp_path / "empty.po").write_text('msgid "Hello"\nmsgstr ""\n', encoding="utf-8")
    (tmp_path / "guess.po").write_text('#, fuzzy\nmsgid "Hello"\nmsgstr "你好"\n', encoding="utf-8")
    (tmp_path / "torn.po").write_text('msgid "Hello"\nmsgstr "x"\nnonsense\n', encoding="utf-8")
    assert [line.split(":")[0] for line in unreadable_catalogues(tmp_path)] == ["empty.po", "guess.po", "torn.po"]


def test_two_areas_that_disagree_are_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zh").mkdir()
    for area, words in (("cart", "购物车"), ("orders", "车")):
        (tmp_path / "zh" / f"{area}.po").write_text(f'msgid "Cart"\nmsgstr "{words}"\n', encoding="utf-8")
    monkeypatch.setattr(catalogues, "TRANSLATIONS", tmp_path)
    _catalogue, conflicts = catalogues.joined()
    assert conflicts == ["orders.po: 'Cart' is '购物车' elsewhere, '车' here"]


def test_a_template_that_does_not_compile_is_caught(app: Flask) -> None:
    with pytest.raises(jinja2.TemplateError):
        app.jinja_env.compile("{% if %}", name="torn.html")
    assert (ROOT / "shop" / "templates").is_dir()
