"""What people call the metrics and factors beside the names in the registries. Patterns as in `lexicon`."""

from __future__ import annotations

QUALITY = (
    r"качеств~(?: (?:памяти|ответ~|поиска|работы|извлечени~))?|качественн~ ответ~|"
    r"(?:memory |answer |response |retrieval |overall )?quality(?: of (?:the )?(?:memory|answers|responses|"
    r"retrieval))?"
)
"""The primary quality metrics together."""

EVERYTHING_ELSE = (
    r"(?:everything|all|anything) else|(?:все )?остально[ей]|the rest|(?:all )?other metrics|"
    r"остальн~ (?:метрик~|показател~)"
)
"""What should stay as it is beside the targets: quality, cost, latency and errors."""

QUALITY_METRICS = ("retrieval_precision", "retrieval_recall", "context_utilization", "hallucination_rate")
"""What "quality" stands for: what offline runs can measure. Satisfaction needs the feedback of real people."""

# name, pattern, verb that the word carries, whether it names the opposite
SPECIAL_METRICS: tuple[tuple[str, str, str | None, bool], ...] = (
    (
        "context_utilization",
        r"context is used|uses? (?:of )?the context|использ(?:ует|овал|овать) контекст~",
        None,
        False,
    ),
    (
        "token_cost",
        r"удешевлен~|дешевле|подешевле|дешев(?:о|ым|ыми|ые|ую)|удешев(?:и|л)~|cheap|cheaper|cheaply|less expensive~|"
        r"inexpensive~|economical~|экономичн~",
        "down",
        False,
    ),
    (
        "token_cost",
        r"стоил[аои]?|стоит|платить|плачу|платим|pay(?:ing)?|деньг~|денег|затрат~?|расход(?:ы|ов|ами|ам|ах)|"
        r"трат(?:ы|ам)|money|expens(?:e|es)|spending",
        None,
        False,
    ),
    (
        "token_cost",
        r"удорожан~|дороже|дорож~|подорожа~|dearer|pricier|дорог(?:о|им|ими)|expensive|more expensive",
        "up",
        False,
    ),
    (
        "token_cost",
        r"(?:расход~?|потреблени~|число|количеств~|объем~?)? ?токен(?:ы|ов|ах)|"
        r"token (?:usage|use|consumption|spend)|tokens",
        None,
        False,
    ),
    (
        "latency_p95",
        r"быстрее|побыстрее|быстр(?:о|ым|ыми|ые|ую)|ускор~|faster|quicker|quick(?:ly)?|fast|speed ?up|snappier",
        "down",
        False,
    ),
    ("latency_p50", r"типичн~(?: ответ~)?|медианн~(?: ответ~)?|typical (?:response|answer)s?", None, False),
    ("latency_p95", r"медленнее|замедл~|тормоз~|sluggish|slower|slow(?:ly)?|slow down", "up", False),
    (
        "latency_p95",
        r"скорост~(?: (?:ответ~|работы))?|быстродейств~|speed(?: of (?:the )?(?:answers?|responses?))?|"
        r"response speed|responsive~",
        None,
        True,
    ),
    (
        "retrieval_precision",
        r"no less (?:accurate|precise)|just as (?:accurate|precise)|не менее точн~|так же точн~",
        "hold",
        False,
    ),
    (
        "no_context_rate",
        r"without (?:any )?context(?: found)?|no context(?: found)?|nothing (?:is |was )?found|без контекста|"
        r"ничего не (?:найден~|нашл~)",
        None,
        False,
    ),
    ("retrieval_precision", r"точнее|поточнее|more (?:precise|accurate)~?|preciser|accurate~", "up", False),
    (
        "retrieval_recall",
        r"полнее|пополнее|more complete~?|вспомина~|"
        r"помни~ (?:больше|лучше)|(?:больше|лучше) помни~|remember (?:more|better)|recall more|forget less",
        "up",
        False,
    ),
    ("retrieval_recall", r"забыва~|forget~|keeps forgetting", "down", True),
    (
        "retrieval_recall",
        r"нужн~ воспоминани~|find~ (?:the )?(?:right|relevant) memories|нах(?:одит|одила?|одить)|вспомнит~|"
        r"remembers?",
        None,
        False,
    ),
    ("retrieval_precision", r"мусор~|шум(?:а|у|ом)?|noise|junk|irrelevant(?: memories| results)?|garbage", None, True),
    (
        "retrieval_precision",
        r"из найденн~|(?:найденн~ )?по делу|of what (?:it|the search) (?:finds|found|returns)",
        None,
        False,
    ),
    (
        "context_utilization",
        r"(?:не )?пользуется|ignor(?:e|es|ing) (?:them|it|the context|memories|what it found)|"
        r"(?:rel(?:y|ies)|based?) on (?:the )?(?:memories|context)|us(?:e|es|"
        r"ing) (?:the )?memories(?: they were given)?|"
        r"us(?:e|es|ing) what it (?:knows|found)|опира~ на (?:память|контекст|найденн~)|использу~ (?:память|"
        r"найденн~)",
        None,
        False,
    ),
    (
        "hallucination_rate",
        r"unsupported (?:answers?|claims?)|вранье|вранья|вранью|врани~|лжет|лгать|неправд~|отсебятин~|"
        r"выдуманн~(?: ответ~| факт~)?|(?:пута|перепутыва)~ факт~|invent(?:s|ed)?(?: it)?|lies|lying|"
        r"выдумыва~|придумыва~|сочиня~|галлюцинир~|фантазир~|врать|врет|making things up|make things up|"
        r"making stuff up|make stuff up|invent(?:ing|s)?(?: (?:facts|things))?|hallucinat(?:e|es|ing)|"
        r"confabulat~",
        None,
        False,
    ),
    (
        "error_rate",
        r"ошиба~|сып(?:ятся|ется)|запрос~ пада(?:ют|ет)|crash~|сбо(?:и|ев|ями|ям)|падени~ запрос~|failing|"
        r"failures?|fail(?:s|ed)? (?:runs|requests)|failed",
        None,
        False,
    ),
    ("user_satisfaction", r"довольн~|happier|happy users|happiness", None, False),
)

FACTOR_GROUPS: tuple[tuple[str, str], ...] = (
    # A pattern of words and the prefix of the keys that it stands for.
    (r"промпт~|prompts?|подсказк~|system prompts?|системн~ промпт~", "prompts."),
    (
        r"промпт~ (?:ответчик~|респондер~|ответ~)|responder prompts?|prompts? of the responder|answer prompt|"
        r"промпт~ responder",
        "prompts.responder",
    ),
    (r"промпт~ (?:анализатор~|аналитик~)|analy[sz]er prompts?|prompts? of the analy[sz]er", "prompts.analyzer"),
    (r"промпт~ (?:архивар~|архивист~|архиватор~)|archivist prompts?|prompts? of the archivist", "prompts.archivist"),
    (r"модел(?:ь|и|ью|ей|ям)|(?:the )?(?:llm |language )?models?|llm|языков~ модел~", "llm.model"),
    (r"температур~|temperature", "llm.temperature"),
    (
        r"поиск~|retrieval(?: (?:parameters|settings|factors|params))?|"
        r"параметр~ (?:поиска|retrieval|извлечени~)|search(?: settings| parameters)?|извлечени~|ретривал~",
        "retrieval.",
    ),
    (r"архивариус~|архивист~|архиватор~|archivist(?: settings)?|archiving", "archivist."),
    (r"контекст~?|(?:параметр~|настройк~) контекст~|context(?: settings| parameters)", "context."),
    (
        r"(?:max~ |размер~? |длин~ |лимит~? )контекст~|context (?:size|length|limit|window)|max tokens|"
        r"лимит~ токенов",
        "context.max_tokens",
    ),
    (r"стратеги~(?: поиска| retrieval)?|(?:search |retrieval )?strategy", "retrieval.strategy"),
    (r"top[- _]?k|топ[- ]?к|число воспоминани~|количеств~ воспоминани~", "retrieval.top_k"),
    (r"recency weight|вес~? (?:свежести|давности|новизны)|свежест~", "retrieval.recency_weight"),
    (r"relevance weight|вес~? релевантности|релевантност~", "retrieval.relevance_weight"),
    (r"ключев~ слов~|keyword count|(?:number of )?keywords", "retrieval.keyword_count"),
    (r"вес~? (?:соседей|соседних \w+)|neighbou?r weight", "retrieval.neighbor_weight"),
    (r"вес~? (?:даты|дат|времени)|date (?:boost|weight)", "retrieval.date_boost"),
    (r"вес~? (?:человека|людей|имени|имён|имен)|person (?:boost|weight)", "retrieval.person_boost"),
    (r"порог~?(?: релевантности| score)?|min(?:imum)? score|score threshold", "retrieval.min_score"),
    (r"вес(?:а|ов|ами|ам)|weights", "*weight"),
    (r"тег(?:и|ов|ами|ам)|max tags", "archivist.max_tags"),
    (r"длин~ (?:саммари|резюме|пересказ~|summary)|summary length", "archivist.summary_length"),
)
