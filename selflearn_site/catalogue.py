"""Which sentences there are to translate, found without GNU gettext: it is on no fresh machine.

Templates go through Django's own `templatize`, which turns their tags into calls; calls in Python are read from the
syntax tree. Of unfold, which brings no catalogue, only that is ours which Django itself does not translate.
"""

from __future__ import annotations

import ast
import gettext as gnu
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import django
from django.conf import settings
from django.utils.translation.template import templatize

LANGUAGE = "ru"
CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "N_"}
PLURALS = {"ngettext", "ngettext_lazy"}
CONTEXTS = {"pgettext", "pgettext_lazy"}
OURS = re.compile(r"/(tests|benchmarks|migrations|var|static|staticfiles|\.[^/]+)/")
_CALL = re.compile(r"(?<![\w.])(_|gettext|ngettext|pgettext|npgettext)\((?=['\"u])")
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd]")


@dataclass(frozen=True, slots=True, order=True)
class Sentence:
    """A msgid with what tells it apart. `context` and `plural` are empty for most."""

    context: str
    msgid: str
    plural: str = ""


def po_path() -> Path:
    return Path(settings.BASE_DIR) / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"


def sentences() -> dict[Sentence, str]:
    """Every sentence of ours and of unfold, with the first place where it stands."""
    found: dict[Sentence, str] = {}
    base = Path(settings.BASE_DIR)
    for path in sorted([*base.rglob("*.py"), *(base / "templates").rglob("*.html")]):
        if not OURS.search(f"/{path.relative_to(base)}"):
            for sentence in _in_file(path):
                found.setdefault(sentence, str(path.relative_to(base)))
    known = _of_django()
    unfold = _folder("unfold")
    for path in sorted([*unfold.rglob("*.py"), *unfold.rglob("*.html")]):
        if "/contrib/" in str(path.relative_to(unfold.parent)):
            continue  # apps of unfold that are not installed here
        for sentence in _in_file(path):
            if sentence.msgid not in known:
                found.setdefault(sentence, f"unfold/{path.relative_to(unfold)}")
    return found


def placeholders(text: str) -> set[str]:
    return {match.group() for match in _PLACEHOLDER.finditer(text)}


def compiled(path: Path) -> dict[str | tuple[str, int], str]:
    """The entries of a compiled catalogue, as gettext looks them up."""
    with path.open("rb") as file:
        return dict(gnu.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]


def _of_django() -> set[str]:
    """What Django says in this language without us."""
    home = Path(django.__file__).parent
    known: set[str] = set()
    for path in home.glob(f"**/locale/{LANGUAGE}/LC_MESSAGES/django.mo"):
        known |= {key if isinstance(key, str) else key[0] for key in compiled(path)}
    return known


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise LookupError(f"{package} is not installed")
    return Path(spec.origin).parent


def _in_file(path: Path) -> Iterable[Sentence]:
    source = path.read_text(encoding="utf-8")
    return _in_template(source) if path.suffix == ".html" else _in_python(source)


def _in_template(source: str) -> Iterator[Sentence]:
    if "i18n" not in source:
        return
    called = templatize(source)
    for match in _CALL.finditer(called):
        texts, at = [], match.end()
        while literal := re.compile(r"\s*,?\s*u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", re.S).match(called, at):
            # What `_()` quotes in a template may break over lines, as a literal may not.
            texts.append(ast.literal_eval(literal.group(1).replace("\n", "\\n")))
            at = literal.end()
        yield from _sentence(match.group(1), texts)


def _in_python(source: str) -> Iterator[Sentence]:
    if "gettext" not in source:
        return
    nodes = list(ast.walk(ast.parse(source)))
    names = {
        alias.asname: alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.asname
    }
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        texts = [arg.value for arg in node.args[:3] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        yield from _sentence(names.get(name, name), texts)


def _sentence(call: str, texts: list[str]) -> Iterator[Sentence]:
    if call in CALLS and texts:
        yield Sentence("", texts[0])
    elif call in PLURALS and len(texts) > 1:
        yield Sentence("", texts[0], texts[1])
    elif call in CONTEXTS and len(texts) > 1:
        yield Sentence(texts[0], texts[1])
    elif call == "npgettext" and len(texts) > 2:
        yield Sentence(texts[0], texts[1], texts[2])
