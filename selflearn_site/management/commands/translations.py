"""Bring the Russian catalogue up to date: new sentences in, unused ones out, and the compiled file beside it.

Both files are committed, so that a fresh machine needs neither gettext nor a build step. `polib` is a development tool.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from selflearn_site.catalogue import po_path, sentences


class Command(BaseCommand):
    help = "Write new sentences into locale/ru, drop unused ones, compile it, and name what is not translated."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            import polib
        except ImportError as error:
            raise CommandError("polib is not installed; it is one of the development tools of `make setup`") from error
        path = po_path()
        catalogue = polib.pofile(str(path), wrapwidth=118)
        found = sentences()
        here = {(entry.msgctxt or "", entry.msgid): entry for entry in catalogue}
        wanted = {(sentence.context, sentence.msgid): (sentence, where) for sentence, where in sorted(found.items())}
        for key, entry in here.items():
            if key not in wanted:
                catalogue.remove(entry)
        for key, (sentence, where) in wanted.items():
            entry = here.get(key)
            if entry is None:
                entry = polib.POEntry(msgid=sentence.msgid, msgctxt=sentence.context or None)
                catalogue.append(entry)
            if sentence.plural and not entry.msgid_plural:
                entry.msgid_plural, entry.msgstr = sentence.plural, ""
                entry.msgstr_plural = {0: "", 1: "", 2: ""}
            entry.occurrences = [(where, "")]
            entry.flags = [flag for flag in entry.flags if flag == "fuzzy"]
        catalogue.sort(key=lambda entry: (entry.occurrences[0][0], entry.msgid, entry.msgctxt or ""))
        catalogue.save(str(path))
        catalogue.save_as_mofile(str(path.with_suffix(".mo")))
        missing = [entry for entry in catalogue if not entry.translated() or entry.fuzzy]
        for entry in missing:
            self.stdout.write(f"not translated: {entry.msgid!r} ({entry.occurrences[0][0]})")
        self.stdout.write(f"{len(catalogue) - len(missing)} of {len(catalogue)} sentences are translated.")
