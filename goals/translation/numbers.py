"""Quantities: figures and number words with their units."""

from __future__ import annotations

import re

from goals.translation.tokens import Kind, Quantity, Token, Unit

_WORDS: dict[str, float] = {
    **dict.fromkeys(("один", "одного", "одну", "одной", "one"), 1),
    **dict.fromkeys(("полтора", "полторы", "полутора", "one and a half"), 1.5),
    **dict.fromkeys(("полтора", "полторы", "полутора", "one and a half"), 1.5),
    **dict.fromkeys(("два", "две", "двух", "two"), 2),
    **dict.fromkeys(("три", "трех", "three"), 3),
    **dict.fromkeys(("четыре", "четырех", "four"), 4),
    **dict.fromkeys(("пять", "пяти", "five"), 5),
    **dict.fromkeys(("шесть", "шести", "six"), 6),
    **dict.fromkeys(("семь", "семи", "seven"), 7),
    **dict.fromkeys(("восемь", "восьми", "eight"), 8),
    **dict.fromkeys(("девять", "девяти", "nine"), 9),
    **dict.fromkeys(("десять", "десяти", "десяток", "ten"), 10),
    **dict.fromkeys(("двенадцать", "двенадцати", "twelve", "dozen"), 12),
    **dict.fromkeys(("пятнадцать", "пятнадцати", "fifteen"), 15),
    **dict.fromkeys(("двадцать", "двадцати", "twenty"), 20),
    **dict.fromkeys(("двадцать пять", "двадцати пяти", "twenty five", "twenty-five"), 25),
    **dict.fromkeys(("тридцать", "тридцати", "thirty"), 30),
    **dict.fromkeys(("сорок", "сорока", "forty"), 40),
    **dict.fromkeys(("пятьдесят", "пятидесяти", "fifty"), 50),
    **dict.fromkeys(("шестьдесят", "шестидесяти", "sixty"), 60),
    **dict.fromkeys(("семьдесят", "семидесяти", "seventy"), 70),
    **dict.fromkeys(("восемьдесят", "восьмидесяти", "eighty"), 80),
    **dict.fromkeys(("девяносто", "девяноста", "ninety"), 90),
    **dict.fromkeys(("сто", "ста", "hundred", "a hundred", "one hundred"), 100),
}
_NUMBER = r"(?:\d{1,3}(?:[ ,]\d{3})+(?![\d])|\d+(?:[.,]\d+)?|[.,]\d+)"
_WORD = "(?:" + "|".join(sorted((re.escape(word) for word in _WORDS), key=len, reverse=True)) + ")"
_SCALE = r"(?:\s*(?P<scale>k|к|тыс\.?|тысяч\w*|thousand|m|м|млн\.?|миллион\w*|million)(?!\w))?"
_SCALES = {"k": 1e3, "к": 1e3, "т": 1e3, "m": 1e6, "м": 1e6}

# unit, pattern after the number, factor
_UNITS: tuple[tuple[Unit, str, float], ...] = (
    (
        "pp",
        r"%?\s*-?(?:п\.?\s?п\.?|процентн\w*\s+пункт\w*|пункт\w*|p\.?\s?p\.?|percent(?:age)?\s+points?|points?)",
        0.01,
    ),
    ("%", r"(?:%|процент\w*|percents?|per\s+cent|pct)", 0.01),
    ("ms", r"(?:мс|миллисек\w*|ms|msec|milliseconds?)", 1.0),
    ("ms", r"(?:с|сек|сек\.|секунд\w*|s|sec|secs|seconds?)", 1000.0),
    ("hours", r"(?:мин|мин\.|минут\w*|min|mins|minutes?)", 1 / 60),
    ("hours", r"(?:ч|ч\.|час|часа|часов|часах|h|hrs?|hours?)", 1.0),
    ("hours", r"(?:дн\w*|день|суток|сутки|days?)", 24.0),
    ("hours", r"(?:недел\w*|weeks?)", 168.0),
    ("usd", r"(?:\$|usd|долл\.|долл\w*|бакс\w*|dollars?|bucks)", 1.0),
    ("usd", r"(?:¢|цент\w*|cents?)", 0.01),
    ("tokens", r"(?:токен\w*|tokens?)", 1.0),
    ("cycles", r"(?:цикл\w*|итерац\w*|раунд\w*|cycles?|iterations?|rounds?)", 1.0),
    ("dialogues", r"(?:диалог\w*|dialogues?|dialogs?)", 1.0),
    ("score", r"(?:из\s+(?:5|пяти)|of\s+5|out\s+of\s+(?:5|five)|/\s?5|балл\w*|звезд\w*|stars?)", 1.0),
    ("times", r"(?:-?\s?fold|times|x|х|-кратн\w*|раз|раза)", 1.0),
)
_SIGN = r"(?P<sign>\+\s?|-(?=[\d.$])|(?:минус|плюс|minus|plus)\s+)?"
_RANGE = rf"(?:\s?-\s?(?P<upper>{_NUMBER})(?=\s*%?))?"

_WITH_UNIT = [
    (unit, factor, re.compile(rf"{_SIGN}(?P<n>{_NUMBER}|{_WORD}){_RANGE}{_SCALE}\s*{pattern}(?!\w)"))
    for unit, pattern, factor in _UNITS
]
_DOLLAR_FIRST = re.compile(rf"{_SIGN}(?:\$|usd\s)\s?(?P<n>{_NUMBER})(?P<upper>(?!))?{_SCALE}(?!\d)")
_PLAIN = re.compile(rf"{_SIGN}(?P<n>{_NUMBER}){_RANGE}{_SCALE}(?!\w)")
_TIMES_FIRST = re.compile(
    rf"(?:в\s*(?P<n>{_NUMBER}|{_WORD}|полтора)\s*раз\w*|(?:x|х|×)\s*(?P<m>{_NUMBER}|{_WORD})(?:\s*раз\w*)?)(?!\w)"
)
_FRACTION = re.compile(r"(\d{1,2})\s?/\s?(\d{1,2})(?!\w)")
# "Процентов на десять": about ten percent, said the Russian way.
_APPROXIMATE = re.compile(rf"(?:процент|пункт)\w*\s+на\s+(?P<n>{_NUMBER}|{_WORD})(?!\w)")
_FIXED: tuple[tuple[re.Pattern[str], Quantity], ...] = tuple(
    (re.compile(rf"(?:{pattern})(?!\w)"), quantity)
    for pattern, quantity in (
        (r"вдвое|двукратн\w*|twice|two-?fold", Quantity(2, "times")),
        (r"втрое|трехкратн\w*|three-?fold|thrice", Quantity(3, "times")),
        (r"вчетверо|four-?fold", Quantity(4, "times")),
        (r"в\s+полтора\s+раза|полуторакратн\w*", Quantity(1.5, "times")),
        (r"треть|одну\s+треть|(?:a|one)[\s-]+third", Quantity(1 / 3, "part")),
        (r"(?:две|two)[\s-]+(?:трети|thirds)", Quantity(2 / 3, "part")),
        (r"четверть|(?:a|one)\s+quarter", Quantity(0.25, "part")),
        (r"половин\w*|пополам|наполовину|(?:a\s+|one\s+|in\s+)?half(?:\s+of)?(?:\s+the)?", Quantity(0.5, "part")),
        (r"пятую\s+часть|(?:a|one)\s+fifth", Quantity(0.2, "part")),
        (r"десятую\s+часть|(?:a|one)\s+tenth", Quantity(0.1, "part")),
        (r"полпроцента|half\s+a\s+per\s?cent", Quantity(0.005, "%")),
        (r"полбалла|пол-балла|полпункта|half\s+a\s+point", Quantity(0.005, "pp")),
        (r"(?:одного\s+)?процента|(?:one|a)\s+percent", Quantity(0.01, "%")),
        (r"нул\w+|ноль|zero", Quantity(0, "plain")),
        (r"час|an\s+hour", Quantity(1, "hours")),
        (r"полчаса|half\s+an\s+hour", Quantity(0.5, "hours")),
        (r"сутки|(?:one|a)\s+day|за\s+день", Quantity(24, "hours")),
        (r"неделю|(?:one|a)\s+week", Quantity(168, "hours")),
        (r"(?:a|one)\s+second", Quantity(1000, "ms")),
        (r"секунд[аыу]", Quantity(1000, "ms")),
        (r"(?:a|one)\s+cent", Quantity(0.01, "usd")),
        (r"полсекунды|half\s+a\s+second", Quantity(500, "ms")),
        (r"half\s+a\s+cent|полцента", Quantity(0.005, "usd")),
    )
)


# "19 of 20", "14 из ста", "one answer out of eight", "3 per hundred". Out of five is a score.
_OUT_OF = re.compile(
    rf"(?P<n>{_NUMBER}|{_WORD})\s+(?:[^\W\d]+\s+){{0,2}}?"
    rf"(?:out\s+of|of|in(?:\s+every)?|per|из|на(?=\s+(?:сто|100)))\s+"
    rf"(?:a\s+|каждых\s+)?(?P<all>{_NUMBER}|{_WORD})(?!\w|\s*%)"
)
_ORDINALS = {
    **dict.fromkeys(("втор", "second"), 2), **dict.fromkeys(("трет", "third"), 3),
    **dict.fromkeys(("четверт", "fourth"), 4), **dict.fromkeys(("пят", "fifth"), 5),
    **dict.fromkeys(("шест", "sixth"), 6), **dict.fromkeys(("седьм", "seventh"), 7),
    **dict.fromkeys(("восьм", "eighth"), 8), **dict.fromkeys(("девят", "ninth"), 9),
    **dict.fromkeys(("десят", "tenth"), 10), **dict.fromkeys(("двадцат", "twentieth"), 20),
    **dict.fromkeys(("пятидесят", "fiftieth"), 50), **dict.fromkeys(("сот", "hundredth"), 100),
}  # fmt: skip
_EVERY = r"(?:кажд(?:ый|ая|ое|ом|ую|ой|ого)|every)"
_EVERY_NTH = re.compile(rf"{_EVERY}\s+(?P<nth>{'|'.join(_ORDINALS)})(?:\w{{2,3}})?(?!\w)")
_SIGNS = {"+": 1, "плюс": 1, "plus": 1, "-": -1, "минус": -1, "minus": -1}


def _number(text: str) -> float:
    if text in _WORDS:
        return _WORDS[text]
    if text == "полтора":
        return 1.5
    grouped = re.fullmatch(r"(\d{1,3})((?:[ ,]\d{3})+)", text)
    if grouped and grouped[1] != "0":
        return float(re.sub(r"[ ,]", "", text))
    return float(text.replace(" ", "").replace(",", "."))


def _scaled(match: re.Match[str]) -> float:
    scale = match.groupdict().get("scale")
    return _number(match["n"]) * (_SCALES[scale[0]] if scale else 1.0)


def quantities_at(text: str, at: int) -> list[Token]:
    """All readings of a quantity that start at `at`; the lexer takes the longest."""
    found: list[Token] = []
    # In "60-70" the hyphen is no minus, and in "top_k" there is no number.
    if at and (text[at - 1].isalnum() or (text[at] in "+-" and text[at - 1].isdigit())):
        return found

    def add(match: re.Match[str], quantity: Quantity) -> None:
        found.append(Token(Kind.QUANTITY, quantity, match.start(), match.end()))

    def with_sign(match: re.Match[str], amount: float, unit: Unit) -> Quantity:
        sign = (match["sign"] or "").strip()
        return Quantity(amount, unit, _SIGNS.get(sign, 0), ranged=bool(match["upper"]))

    for unit, factor, pattern in _WITH_UNIT:
        if match := pattern.match(text, at):
            add(match, with_sign(match, _scaled(match) * factor, unit))
    if match := _DOLLAR_FIRST.match(text, at):
        add(match, with_sign(match, _scaled(match), "usd"))
    if match := _PLAIN.match(text, at):
        add(match, with_sign(match, _scaled(match), "plain"))
    if match := _TIMES_FIRST.match(text, at):
        add(match, Quantity(_number(match["n"] or match["m"]), "times"))
    if (match := _FRACTION.match(text, at)) and 0 < int(match[1]) < int(match[2]) != 5:
        add(match, Quantity(int(match[1]) / int(match[2]), "part"))
    if (match := _OUT_OF.match(text, at)) and 0 < _number(match["n"]) < _number(match["all"]) != 5:
        add(match, Quantity(_number(match["n"]) / _number(match["all"]), "%"))
    if match := _EVERY_NTH.match(text, at):
        add(match, Quantity(1 / _ORDINALS[match["nth"]], "%"))
    if match := _APPROXIMATE.match(text, at):
        add(match, Quantity(_number(match["n"]) / 100, "pp"))
    for fixed, quantity in _FIXED:
        if match := fixed.match(text, at):
            add(match, quantity)
    return found
