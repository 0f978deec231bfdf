"""The words of both languages, by what they do in a sentence.

In the patterns `~` stands for any ending of a word and a space for any white space; text is matched in lower case
with `ё` written as `е`. To teach a word: add it to its line, and a phrase to `tests/goals/corpus.yaml`.
"""

from __future__ import annotations

import re
from typing import Any

from goals.translation.patterns import compile_words
from goals.translation.tokens import Kind

_LINES: tuple[tuple[Kind, Any, str], ...] = (
    # --- how it is, and what nobody minds -----------------------------------------------------------------------------
    (
        Kind.STATE,
        "now",
        "сейчас|теперь|на данный момент|на сегодня|сегодня|пока что|у нас|упал[аио]?|просел[аио]?|сполз(?:ла|ло|ли)|"
        "опустил(?:ась|ось|ись|ся)|снизил(?:ась|ось|ись|ся)|скатил(?:ась|ось|ись|ся)|"
        "right now|now|today|currently|at the moment|at present|nowadays|so far|(?:has |have )(?:dropped|fallen|"
        "slipped|"
        "risen|gone up|gone down)|fell|slipped|sank|(?:is |are )?sitting at|(?:is |are )?stuck at|(?:is|"
        "are) (?:only )?at",
    ),
    (Kind.COMPLAINT, "too", "слишком|чересчур|уж очень|too|way too|overly|надоел~|достал[аои]?"),
    (
        Kind.CAREFREE,
        "any",
        "(?:нас |меня )?(?:вполне |полностью )?устраива~|рол(?:и|ь) не игра~|не важн~|неважн~|не волну~|все равно|"
        "без разницы|ничего страшного|не принципиальн~|(?:i |we )?(?:don't|do not) (?:really )?care(?: about)?|"
        "doesn't matter|does not matter|never mind|i'm happy with|we're happy with|i am happy with|no problem|"
        "is fine with (?:me|us)",
    ),
    # --- what should happen -------------------------------------------------------------------------------------------
    (
        Kind.VERB,
        "up",
        "увелич~|повы(?:с|ш)~|подн(?:я|и)~|подъем~|подним~|нараст~|наращ~|раст(?:и|ет|ут|ить|ил~)|рост|роста|"
        "ростом|вырос~|вырас~|росл(?:а|о|и)|прирос~|прибав~|добав~|подрос~|raise~|raising|increas~|boost~|grow~|"
        "lift~|"
        "jump~|spik(?:e|es|ing)|balloon~|rais~|go(?:es)? up|rise~|rising|push~ up|bring~ up|gain~|ramp up|bump~|"
        "extra|additional|added|дополнительн~",
    ),
    (Kind.VERB, "double", "doubl(?:e|es|ing|ed)|удво~"),
    (Kind.VERB, "triple", "tripl(?:e|es|ing|ed)|утро(?:и|й)~"),
    (Kind.VERB, "down", "down"),
    (Kind.VERB, "up", "up|upwards"),
    (Kind.VERB, "halve", "halv(?:e|es|ing|ed)|cut in half|располовин~"),
    (
        Kind.VERB,
        "down",
        "сни(?:з|ж)~|уменьш~|сокра(?:т|щ)~|пони(?:з|ж)~|уре(?:з|ж)~|опуст~|опуск~|убав~|сбав~|сре(?:з|ж)~|"
        "упа(?:л|д|с)~|паден~|пада(?:ть|ет|ют|л|ла|ло|ли)|просе(?:л|д|с)~|проседа~|просад~|урон~|"
        "роня(?:ть|я|ет|й|йте)|сэконом~|эконом(?:ить|ь|ия|ии|ию|ьте|нее|им)|удешев~|ускор(?!ен)~|reduc~|decreas~|"
        "lower(?:ing|ed)|cut|cuts|cutting|drop|drops|dropping|dropped|fall|falls|falling|go(?:es)? down|"
        "tank|slip|slips|slide~|sink|shave~|shaving|knock~|bring~ down|shrink~|slash~|trim~|diminish~|declin~|"
        "save|saving|savings|less~ning|push~ down|"
        "drive~ down",
    ),
    (Kind.VERB, "down", "minimi[sz]~|миними[зс]~"),
    (Kind.VERB, "up", "maximi[sz]~|максимизи~"),
    (
        Kind.VERB,
        "zero",
        "избав~|исключ(?:и|ить|ите)|убери~|убрать|устран~|искорен~|перестан~|прекрат~|eliminat~|get rid of|"
        "remov~|no more|stop|stopping|eradicat~",
    ),
    (
        Kind.VERB,
        "improve",
        "улучш~|оптимиз~|подтян~|прокач~|усил~|наладь~|лучш~|improv~|optimi[sz]~|better|enhanc~|strengthen~|"
        "fix|pull|move",
    ),
    (
        Kind.VERB,
        "reach",
        "довес~|довед~|достич~|достиг~|достиж~|добит~|добей~|выйти|вывес~|выведи~|обеспеч~|achiev~|reach~|hit|"
        "attain~|get|make|ensure|ensuring|bring~|push~|driv(?:e|es|ing)",
    ),
    (
        Kind.VERB,
        "worse",
        "потер~|теря~|(?:по)?страда~|suffer~|ухудш~|хуже|ущерб~|жертв~|пожертв~|деград~|порт(?:ить|я|ит)|"
        "испорт~|регресс~|худш~|los(?:e|es|ing|s|t)|worse~|degrad~|hurt~|harm~|sacrific~|regress~|compromis~|"
        "damag~|deteriorat~|detriment",
    ),
    (
        Kind.VERB,
        "touch",
        "трога~|трону~|трожь|меня(?:ть|я|й|йте|ем|ет|ют)|измен~|смен(?:ы|ить|а|е|ой|ив|им|ять|яя)|замен~|"
        "крут(?:и|ить|я)|подкру~|тюн~|настраива~|настро~|править|правь|варьир~|касаться|касаясь|вмешива~|"
        "touch~|chang~|modif~|tun(?:e|es|ing|ed)|adjust~|alter~|switch~|replac~|tweak~|swap~|edit~|mess with|"
        "vary~|play~ with|fiddl~ with|experiment with",
    ),
    (
        Kind.VERB,
        "hold",
        "сохран~|удерж~|держ(?:ать|и|ите|ась|а)|"
        "оста(?:ви|вь|вл|ется|нется|вал|ется|ваться|ваясь|лась|лся|лось)~|фиксир~|зафикс~|прежн~|неизмен~|"
        "без изменений|стабильн~|(?:тот|та|то|те|той|тем|тех|том|ту) же|"
        "не хуже (?:текущ~|тепереш~|нынешн~|чем сейчас)|на (?:том же|текущем|прежнем|нынешнем) уровне|"
        "на уровне не хуже|как есть|запре(?:т|щ)~|заморо~|неприкоснов~|keep|keeps|keeping|kept|hold|holding|"
        "maintain~|preserv~|retain~|unchanged|constant|the same|same|stays?|staying|remain~|intact|stable|"
        "steady|freez~|frozen|lock~|fix(?:ed)|leave|leaving|alone|as is|as it is|as they are|off[- ]limits|"
        "untouched|within (?:the )?(?:current |present |its |their )?(?:margins?|bounds)|"
        "protect~|forbid~|forbidden|prohibit~|flat",
    ),
    (
        Kind.NEGATION,
        "not",
        "не|нельзя|ни|никак(?:их|ой|ого|ому|ие)|без|нет|no|not|don't|dont|do not|doesn't|does not|didn't|"
        "never|without|w/o|cannot|can't|mustn't|shouldn't|won't|not let|avoid~|prevent~|запрещено|"
        "запрещается|избег~|избежать|не допус~|не дать|не давай~|не долж~|не позвол~|чтобы не|don't let|"
        "do not let|without letting|must not|should not|may not|ought not to",
    ),
    (
        Kind.ALLOW,
        "allow",
        "допусти(?:м|мо|ма|мы|мый|мая|мое)|допуска(?:ется|ю|ем)|может|могут|можно|разреш~|приемлем~|"
        "терпимо|согласен на|"
        "may|can|let|allow~|accept~|tolerat~|permit~|okay|ok|fine",
    ),
    (
        Kind.UTMOST,
        "utmost",
        "максимально|по максимуму|до максимума|насколько (?:это )?возможно|как можно|"
        "сколько (?:получится|выйдет)|побольше|"
        "as (?:much|far|high|low) as (?:possible|it goes|you can|we can)|to the max~|as possible|most",
    ),
    (
        Kind.RELATIVE,
        "relative",
        "относительн(?:ых|ого|ое|о текущ~|о исходн~|о нынешн~|о базов~)|"
        "(?:от|относительно) (?:текущ~|нынешн~|исходн~|имеющ~|базов~)(?: (?:значени~|уровн~|величин~))?|"
        "relative~(?: to (?:the )?(?:baseline|start|present|current(?: value| level)?))?|"
        "of (?:the |its |their |what )?(?:current|present|it is|baseline)(?: (?:value|level))?|"
        "of what it is(?: now)?|from (?:where|what) it is(?: now| today)?|from (?:the |its )?current(?: value|"
        " level)?",
    ),
    # --- comparisons --------------------------------------------------------------------------------------------------
    (Kind.COMPARE, "to", "до(?: уровня)?|to|at|на уровн~|на отметк~|равн~|=|into|=="),
    (Kind.COMPARE, "off", "off"),
    (Kind.COMPARE, "orbetter", "or (?:better|more|higher|above)|(?:и|или) (?:выше|более|лучше|больше)"),
    (Kind.COMPARE, "orless", "or (?:less|lower|below)|(?:и|или) (?:ниже|менее|меньше)"),
    (Kind.COMPARE, "by", "на|by|an? (?:additional|extra)|ещ?е на"),
    (Kind.COMPARE, "from", "с|со|from"),
    (
        Kind.COMPARE,
        "lt",
        "<|<=|=<|≤|реже|ниже|меньше|менее|меньш(?:ую|ей|ая|ие|их)|низк~|below|under|less|lower|fewer|smaller|"
        "beneath|reduced",
    ),
    (
        Kind.COMPARE,
        "gt",
        ">|>=|=>|≥|чаще|выше|больше|более|свыше|больш(?:ую|ая|ей|их)|высок~|above|over|more|higher|greater|exceed~|"
        "превыс~|превыш~|превзой~|surpass~|beyond|at least above|larger",
    ),
    (
        Kind.COMPARE,
        "le",
        "максимум|max\\.?|maximum|maximal|at most|up to a max~|лимит~|предел~|потолок|cap|"
        "capped(?: at)?|limit~(?: to)?|ceiling|upper bound",
    ),
    (Kind.COMPARE, "ge", "минимум|min\\.?|minimum|minimal|at least|хотя бы|как минимум|floor|lower bound"),
    (Kind.COMPARE, "within", "в пределах|within|в рамках|внутри|уклад~|in"),
    (Kind.COMPARE, "upto", "up to|вплоть до"),
    # --- what may be changed ------------------------------------------------------------------------------------------
    (
        Kind.ONLY,
        "only",
        "только|лишь|исключительно|only|solely|exclusively|nothing but|разрешено (?:менять|трогать) только|"
        "allowed(?: impacts| factors)?:",
    ),
    (
        Kind.EXCEPT,
        "except",
        "кроме|за исключением|исключая|except(?: for)?|excluding|anything but|everything but|all but|"
        "other than|apart from|помимо",
    ),
    (
        Kind.VIA,
        "via",
        "за счет|с помощью|через|посредством|путем|via|through|"
        "by (?:tuning|changing|adjusting|means of|varying)|with the help of|using",
    ),
    (
        Kind.PROTECTED,
        "row-level security",
        "rls|row[- ]level security|построчн~ (?:защит~|безопасност~)|изоляц~(?: пользовател~)?",
    ),
    (Kind.PROTECTED, "data types", "тип~ данных|data types?|схем~ (?:данных|бд|базы)|schema|database"),
    # --- order --------------------------------------------------------------------------------------------------------
    (
        Kind.MAIN,
        "main",
        "главн~|самое важное|важнее всего|важней всего|прежде всего|в первую очередь|перв~ приоритет~|"
        "приоритет~|основн~ цел~|первостепенн~|most important~|main(?:ly)?|the main (?:thing|goal)(?: is)?|"
        "above all|top priority|first priority|priority|priorities|prioriti[sz]e|primarily|foremost|"
        "matters most|first and foremost|key",
    ),
    (
        Kind.OUTRANKS,
        "outranks",
        "важнее|важней|приоритетнее|more important than|matters? more than|important than|takes precedence over|before",
    ),
    (
        Kind.BREAK,
        "hard",
        "сначала|сперва|затем|потом|после этого|после чего|далее|во вторую очередь|во-вторых|во-первых|"
        "в-третьих|второ~ приоритет~|наконец|в конце(?: концов)?|в последнюю очередь|lastly|last|at the end|"
        "first(?:ly)?|second(?:ly)?|third(?:ly)?|then|next|afterwards|after that|finally|followed by",
    ),
    (Kind.BREAK, "and", "и|&|а также|как и|плюс|ни|and|as well as|also|или|or|and also|nor|along with|together with"),
    (Kind.BREAK, "comma", ",|\\(|\\)|/"),
    (Kind.BREAK, "hard", "\\.(?!\\d)|;|!|\\?|\n|\\|"),
    (
        Kind.BREAK,
        "hard",
        "но|а|однако|зато|при этом|причем|but|yet|however|whereas|if|если|если при этом|чтобы|"
        "at the same time|одновременно|в то же время|so that|though|although|хотя",
    ),
    (
        Kind.BREAK,
        "given",
        "при|пока|while|whilst|with|provided(?: that)?|subject to|as long as|so long as|given|с условием|при условии",
    ),
    # --- how it is worked ---------------------------------------------------------------------------------------------
    (
        Kind.AUTONOMY,
        "full_auto",
        "full[_ -]?auto|fully[- ]automatic~|full~ autonom~|autonomous~|automatic~|авто|auto|auto[- ]?mode|"
        "автомат~|полност~ автомат~|в полностью автомат~ режиме|полн~ автоном~|автоном~|"
        "без (?:моего |моих )?(?:участия|подтвержден~|согласован~|вмешательств~|вопросов|спроса)(?: человека)?|"
        ""
        "(?:полностью )?самостоятельно|не (?:дерга|отвлека|трево)~(?: меня)?|полн~ автомат~|on (?:your|its) own|"
        "решени~ (?:принима~|прими~) сам~|решай~? сам~|use your own judg~|без человека|не спрашива~(?: меня)?|"
        "не беспоко~(?: меня)?|сам~ реш~|"
        "(?:применя~|внедря~|меняй~?) (?:изменени~ |все )?сам~|"
        "without (?:asking|approvals?|my approval|human|confirmation|me|a human)(?: me)?(?: intervention)?|"
        "don't ask(?: me)?|do not ask(?: me)?|no approvals?(?: needed)?|no human(?: in the loop)?|unattended|"
        "спрашивать (?:меня )?не (?:надо|нужно|стоит|требуется)|работа(?:й|йте|ть) (?:полностью |совсем )?сам~|"
        "no need to ask(?: me)?|hands[- ]off|на автопилоте|on autopilot|decide (?:by|for) yourself",
    ),
    (
        Kind.AUTONOMY,
        "semi_auto",
        "semi[_ -]?auto~|полуавтомат~|half[- ]automatic~|с (?:моим|моего) (?:подтвержден~|согласи~|одобрен~)|"
        "с подтвержден~|после (?:моего )?(?:подтвержден~|одобрен~|согласован~)|"
        "(?:применя~|внедря~) (?:изменени~ )?только (?:с|после) (?:моего |моим )?(?:подтвержден~|одобрен~|согласи~)|"
        "with (?:my )?(?:approval|approvals|confirmation)|"
        "ask me before (?:applying|activating|you apply|any change|changing|each change|changes)(?: anything)?|"
        "спрашива~ (?:меня )?перед (?:применени~|изменени~|каждым изменени~|внедрени~)|"
        "(?:ничего )?не (?:применя~|внедря~|меня~|включа~) (?:ничего )?без (?:моего )?"
        "(?:согласи~|одобрен~|ведома|разрешен~|подтвержден~)|"
        "(?:do not|don't|never) (?:apply|change|activate) (?:anything )?without (?:my )?"
        "(?:consent|approval|permission)|"
        "только (?:после|с|через) мо(?:его|им|ей|е) \\W?(?:ок|окей|одобрен~|подтвержден~|согласи~|согласован~|"
        "разрешен~|ведом~|виз~)|ничего (?:сам |сама )?не (?:применя~|внедря~)|сам ничего не (?:применя~|внедря~)|"
        "только предлага~|without my (?:sign[- ]?off|ok|okay|go[- ]ahead|say[- ]so)|my sign[- ]?off|"
        "(?:check with|ask) me before (?:you )?(?:appl~|chang~|activat~)|before (?:you change|changing) anything|"
        "only after (?:my )?approval|i approve|approve each change|needs? my approval",
    ),
    (
        Kind.AUTONOMY,
        "ask",
        "спрашива~(?: меня)?|спроси(?: меня)?|советуйся|согласов(?:ыва~|ать|уй~|ани~)(?: со мной)?|ask me(?: first)?|"
        "check with me|consult me|ask for (?:my )?(?:approval|permission)",
    ),
    (
        Kind.AUTONOMY,
        "manual",
        "manual~|вручную|ручн~(?: режим~| управлени~)?|в ручном режиме|"
        "(?:спрашива~ (?:меня )?|с моего согласия )(?:обо всем|о каждом шаге|каждый раз|"
        "на каждом шаге|перед каждым шагом|перед каждым запуском)|"
        "подтвержда~ каждый шаг|"
        "(?:эксперимент~ )?(?:тоже )?без меня (?:ничего )?не (?:запуска~|начина~)|"
        "(?:do not|don't|never) start (?:anything|experiments?|tests?) without (?:me|asking)(?: me)?|"
        "ask me (?:about everything|before every step|before each step|every time|"
        "before anything|at every step|before starting)|"
        "every step by hand|by hand|сам ничего не (?:запуска~|начина~|дела~)|ничего (?:сам )?не (?:запуска~|начина~)|"
        "ask me before you (?:start|begin|run)|every step needs (?:my )?(?:sign[- ]?off|approval|consent|ok)|"
        "(?:starting|running) (?:the )?experiments (?:included|too)|включая запуск(?: эксперимент~)?",
    ),
    (
        Kind.BUDGET,
        "budget",
        "бюджет~|потрат~|трат(?:ить|я|ь|а)|истрат~|израсход~|расходу~|срок~|дедлайн~|за всю кампани~|"
        "на кампани~|всю кампани~|на все(?: про все)?|spend~|budget~|deadline|in total|overall budget|"
        "for the (?:whole )?campaign|campaign",
    ),
    (
        Kind.PER_REQUEST,
        "per_request",
        "(?:за|на) (?:один |каждый )?(?:запрос|ответ|обращени~)|per (?:request|answer|query|call|run)|"
        "a request|each request|на запрос",
    ),
    (
        Kind.STOP,
        "",
        "at all|goes live|go live|whatever it costs|at any (?:cost|price)|regardless of (?:the )?costs?|любой ценой|"
        "чего бы (?:это|то) ни стоило|ideally|желательно|в идеале|идеально|mode|режим~|i'd|"
        "вторичн~|secondary|less important|set|setting|focus~|запус~|провед~|go|goes|going|climb|станут|стать|"
        "отвеча~|ответит~|ничего|ничто|никому|nothing|anything|everything|обе|оба|обоих|оно|их|both|them|"
        "answer(?:s|ed|ing)?|respond~|repl(?:y|ies|ying)|работа(?:ть|л|ла|ло|ет|ли|ющ~)|пожалуй~|наш~|текущ~|"
        "нынешн~|сейчас|existing|present|количеств~|числ(?:о|а|ом)|объем~|нужн~|необходим~|требуется|"
        "требует~|хо(?:чу|тим|телось|чется|тел|тела)~|хорошо бы|would like|i'd like|we'd like|i want|we want|"
        "долж(?:ен|на|но|ны)|буд(?:ет|ут|ь|ем)|был[аои]?|стал[аои]?|сдела~|дела(?:й|ть|я)|воспоминани~|"
        "memor(?:y|ies)|памят~|систем~|сервис~|ученик~|студент~|assistant~|ассистент~|бот~?|агент~|agents?|"
        "bot|пользовател~|юзер~|клиент~|customers?|clients?|запрос~|вопрос~|ответ~|значени~|показател~|"
        "метрик~|уров~|текущи~|задач~|цел(?:ь|и|ью|ей)|кампани~|эксперимент~|experiments?|обучени~|learning|"
        "training|параметр~|parameters?|parameter|factors?|фактор~|настройк~|settings?|изменени~|changes|"
        "по сравнению с|compared (?:to|with)|thing|things|вещь|самое|самым|самый|очередь|порядк~",
    ),
    # --- categories of questions (reference.md, "Golden set") ---------------------------------------------------------
    (Kind.CATEGORY, "preference", "preferences?(?: questions| queries)?|предпочтен~|вкус(?:ы|ам|ах|ов)"),
    (
        Kind.CATEGORY,
        "temporal",
        "temporal(?: questions| queries| category)?|временн(?:ых|ым|ые|ыми|ой|ая|ую)(?: вопрос~| запрос~)?|"
        "вопрос~ (?:о|про) времен~|time[- ](?:related|based)(?: questions)?|questions about (?:time|dates)|"
        "вопрос~ (?:о|про) дат~|when[- ]questions",
    ),
    (
        Kind.CATEGORY,
        "factual",
        "factual(?: questions| queries| category)?|facts?|факт(?:ы|ах|ам|ов|ами)|фактическ~(?: вопрос~)?|"
        "фактологическ~(?: вопрос~)?|фактуальн~",
    ),
    (
        Kind.CATEGORY,
        "multi-hop",
        "multi[- ]?hop(?: questions| queries)?|мультихоп~|многоходов~(?: вопрос~)?|многошагов~(?: вопрос~)?|"
        "составн~ вопрос~|multi[- ]?step questions",
    ),
    (
        Kind.CATEGORY,
        "negative",
        "negative(?: questions| queries| examples)?|негативн~(?: вопрос~| пример~)|"
        "отрицательн~(?: вопрос~| пример~)|вопрос~ без ответа|unanswerable(?: questions)?",
    ),
    (
        Kind.CATEGORY,
        "personal",
        "personal memor~|personal (?:facts|questions|information|details)|"
        "персональн~(?: памят~| вопрос~| факт~)?|личн~(?: памят~| вопрос~| факт~)",
    ),
)

STOP_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
        a about again aim all almost also amount an answer answers any approximately are around as average be
        been being bit both case cases current currently did do does each every for further get gets getting
        goal goals going had has have here how i in into is it its just keep kind later least let level levels
        like maas make makes making many me mean memory metric metrics model's much must my nearly need needs
        now number of off on only onto other others our out overall own percent percentage please possible
        possibly present quality's queries query question questions rate rates request requests response
        responses result results roughly run runs same service shall share should so some start still system
        target targets than that the them there these they this those time times today too try trying up us user
        users value values very want wanted wants we what when where which will work working works would you
        your а будет бы был была были было быть в вас весь во вопрос вопросам вопросах вопросов вопросы вот все
        всего всех всю где давай давайте дай дела делать для до добро должен должна должно должны доли долю доля
        его ее если еще же желательно за задача запрос запросах запросов запросы значение значения и из их к как
        какая какие какой качества ко когда которая которые который ли либо лишь метрик метрика метрики метрику
        мне можешь мои мой моя на над надо нам нас наш наша наше нашего нашей наши нашу не него нее ней ни ним
        но ну нужен нужна нужно нужны о об около он она они оно от ответ ответах ответов ответы очень памяти
        память по под пожалуйста показатель показателя пользователей пользователь пользователя попробовать
        попробуй порядка постарайся при примерно про просто процент пусть работа работы раз раза с свои своих
        свой сделай сделайте сделать сейчас сервис система системе системы сколько службы случае со средн
        среднее среднем средний средняя стал стала стали стало станет стань старайся стараясь стать так такая
        также такой там текущего текущее текущей текущий текущую теперь то тоже тут у уже уровень уровне уровня
        хотелось хотим хочется хочу цели цель чем через что чтоб чтобы эта эти это этого этот
        """,
    )
)
"""Words that carry nothing here; words that are in neither table are reported as unread."""

WORDS: tuple[tuple[Kind, Any, re.Pattern[str]], ...] = tuple(
    (kind, value, compiled) for kind, value, pattern in _LINES for compiled in compile_words(pattern)
)
