"""The Russian catalogue: whole, with the same placeholders, with three plural forms, and compiled as it is written."""

from __future__ import annotations

from typing import Any

import polib
import pytest
from django.test import Client
from django.utils import translation

from contracts.actor import Role
from selflearn_site.catalogue import Sentence, compiled, placeholders, po_path, sentences
from selflearn_site.catalogue import _in_python as in_python
from selflearn_site.catalogue import _in_template as in_template
from tests.access.people import client_of, person


@pytest.fixture(scope="module")
def written() -> dict[tuple[str, str], polib.POEntry]:
    return {(entry.msgctxt or "", entry.msgid): entry for entry in polib.pofile(str(po_path()))}


def forms(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_catalogue__every_sentence_of_pages_and_admin__is_in_russian(
    written: dict[tuple[str, str], polib.POEntry],
) -> None:
    missing = [
        f"{where}: {sentence.msgid!r}"
        for sentence, where in sentences().items()
        if (entry := written.get((sentence.context, sentence.msgid))) is None or not entry.translated() or entry.fuzzy
    ]
    assert not missing, "run `manage.py translations` and translate: " + "; ".join(missing)


def test_catalogue__every_plural__has_three_forms(written: dict[tuple[str, str], polib.POEntry]) -> None:
    wrong = [
        sentence.msgid
        for sentence in sentences()
        if sentence.plural and len(written[(sentence.context, sentence.msgid)].msgstr_plural) != 3
    ]
    assert not wrong


def test_catalogue__every_form__fills_in_what_the_english_fills_in(
    written: dict[tuple[str, str], polib.POEntry],
) -> None:
    # `one` is also 21 and 31: it needs the number even where the English singular leaves it out.
    wrong = [
        (entry.msgid, form)
        for entry in written.values()
        for form in forms(entry)
        if placeholders(form) != placeholders(entry.msgid_plural or entry.msgid)
    ]
    assert not wrong


def test_catalogue__compiled_file__says_what_the_written_one_says(
    written: dict[tuple[str, str], polib.POEntry],
) -> None:
    wanted: dict[str | tuple[str, int], str] = {}
    for (context, msgid), entry in written.items():
        key = f"{context}\x04{msgid}" if context else msgid
        if entry.msgid_plural:
            wanted |= {(key, number): form for number, form in enumerate(forms(entry))}
        else:
            wanted[key] = entry.msgstr
    there = compiled(po_path().with_suffix(".mo"))
    there.pop("", None)
    assert there == wanted, "run `manage.py translations`"


def test_sentences__of_a_template__are_found_with_context_and_plural() -> None:
    source = """{% load i18n %}{% translate "One" %}{% translate 'Two' context 'x' %}{{ _("Three") }}
{% blocktranslate count n=n %}%a day{% plural %}{{ n }} days{% endblocktranslate %}"""
    assert set(in_template(source)) == {
        Sentence("", "One"), Sentence("x", "Two"), Sentence("", "Three"), Sentence("", "%%a day", "%(n)s days"),
    }  # fmt: skip


def test_sentences__of_python__are_found_where_calls_stand_inside_strings() -> None:
    source = 'from django.utils.translation import gettext as _\nf\'{_("In" " parts")} {ngettext("a", "b", 2)}\''
    assert set(in_python(source)) == {Sentence("", "In parts"), Sentence("", "a", "b")}


@pytest.mark.parametrize(("number", "said"), [(1, "1 цель"), (2, "2 цели"), (5, "5 целей"), (21, "21 цель")])
def test_plural__number__takes_its_russian_form(number: int, said: str) -> None:
    with translation.override("ru"):
        assert translation.ngettext("%(count)s goal", "%(count)s goals", number) % {"count": number} == said


def test_language__switched_in_the_header__holds_for_pages_and_admin_after_that(db: None) -> None:
    client = client_of(person("vera", Role.VIEWER))
    assert 'name="language" value="ru"' in client.get("/").content.decode()
    answer = client.post("/i18n/setlang/", {"language": "ru", "next": "/goals/"})
    page = client.get(answer["Location"]).content.decode()
    assert '<html lang="ru">' in page
    assert "Новая цель" in page or "Целей пока нет" in page
    assert 'name="language" value="en"' in page
    assert "Обзор" in client.get("/admin/").content.decode()


def test_language__nothing_asked_for__is_the_language_of_the_setting(db: None, settings: Any) -> None:
    settings.LANGUAGE_CODE = "ru"
    assert "Войти" in Client().get("/admin/login/").content.decode()


def test_language__accept_language_of_the_browser__is_heard(db: None) -> None:
    assert "Войти" in Client(headers={"accept-language": "ru"}).get("/admin/login/").content.decode()
