"""What a scenario must hold. Pure: a scenario in, sentences out."""

from __future__ import annotations

from collections import Counter

from emulator.domain.scenario import ALTERNATIVES, PHRASE, SLOT, Event, Query, Scenario, Thread

MINIMUM_KINDS = {
    "fact": 3,
    "preference": 2,
    "constraint": 2,
    "goal": 2,
    "decision": 2,
    "contradiction": 1,
    "progress": 2,
}
THREADS = (10, 20)
TURNS = (3, 12)
SPAN_DAYS = 60
PAST_DAYS = 14
STATEMENTS = {"train": 45, "validation": 45, "golden": 20}


def scenario_problems(scenario: Scenario) -> list[str]:
    """What is wrong with it: ids that do not resolve or come twice, questions before their answers, bad truth."""
    problems: list[str] = []
    events: dict[str, tuple[Thread, Event, str]] = {}
    stale: dict[str, str] = {}
    queries: set[str] = set()
    problems += _order_problems(scenario)
    for thread, position, turn in scenario.turns():
        where = f"{thread.id}[{position}]"
        for event in turn.events:
            if event.id in events:
                problems.append(f"{where}: event id {event.id} comes twice")
            for link in filter(None, (event.supersedes, event.repeats)):
                if link not in events:
                    problems.append(f"{where}: event {event.id} refers to {link}, which was not said before")
            if event.supersedes:
                stale[event.supersedes] = event.id
            events[event.id] = (thread, event, turn.text)
        if turn.query:
            if turn.query.id in queries:
                problems.append(f"{where}: query id {turn.query.id} comes twice")
            queries.add(turn.query.id)
            problems += [f"{where}: query {turn.query.id} {p}" for p in _query_problems(turn.query, events, stale)]
        if scenario.split != "train" and any(mark.search(turn.text) for mark in (SLOT, ALTERNATIVES, PHRASE)):
            problems.append(f"{where}: {scenario.split} texts are fixed, but this one is a template")
        for name, form in SLOT.findall(turn.text):
            if scenario.split == "train" and not _slot_exists(scenario, name, form):
                problems.append(f"{where}: slot {name}{'.' + form if form else ''} has no values")
        problems += [
            f"{where}: there are no phrases {name}"
            for name in PHRASE.findall(turn.text)
            if scenario.split == "train" and not scenario.phrases.get(name)
        ]
    problems += [
        f"phrases {title}: slot {name}{'.' + form if form else ''} has no values"
        for title, templates in scenario.phrases.items()
        for name, form in SLOT.findall(" ".join(templates))
        if not _slot_exists(scenario, name, form)
    ]
    return problems


def scenario_gaps(scenario: Scenario) -> list[str]:
    """What it lacks against the minimums of a scenario (docs/SCENARIOS.md), plus all its problems."""
    gaps = scenario_problems(scenario)
    kinds: Counter[str] = Counter(event.kind for _, turn in scenario.statements() for event in turn.events)
    gaps += [f"needs {n} of kind {kind}, has {kinds[kind]}" for kind, n in MINIMUM_KINDS.items() if kinds[kind] < n]
    gaps += _change_gaps(scenario)
    gaps += _query_gaps(scenario)
    threads = len(scenario.threads)
    if not THREADS[0] <= threads <= THREADS[1]:
        gaps.append(f"needs {THREADS[0]}–{THREADS[1]} threads, has {threads}")
    gaps += [
        f"thread {thread.id} has {len(thread.turns)} turns, needs {TURNS[0]}–{TURNS[1]}"
        for thread in scenario.threads
        if not TURNS[0] <= len(thread.turns) <= TURNS[1]
    ]
    span = scenario.threads[-1].day - scenario.threads[0].day
    if span < SPAN_DAYS:
        gaps.append(f"needs {SPAN_DAYS} simulated days or more, spans {span}")
    statements = sum(len(turn.events) for _, turn in scenario.statements())
    if statements < STATEMENTS[scenario.split]:
        gaps.append(f"needs {STATEMENTS[scenario.split]} things told, has {statements}")
    return gaps


def _order_problems(scenario: Scenario) -> list[str]:
    days = [thread.day for thread in scenario.threads]
    problems = [] if days == sorted(set(days)) else ["the days of the threads do not increase"]
    counts = Counter(thread.id for thread in scenario.threads)
    return problems + [f"thread id {name} comes {n} times" for name, n in counts.items() if n > 1]


def _slot_exists(scenario: Scenario, name: str, form: str) -> bool:
    values = scenario.slots.get(name, ())
    return bool(values) and all((form or "base") in v if isinstance(v, dict) else not form for v in values)


def _query_problems(query: Query, events: dict[str, tuple[Thread, Event, str]], stale: dict[str, str]) -> list[str]:
    problems = [f"expects {name}, which was not said before" for name in query.expects if name not in events]
    if query.category == "negative":
        if query.expects or query.should_retrieve:
            problems.append("is negative, so it expects nothing and should_retrieve is false")
        return problems
    if not query.expects or not query.should_retrieve:
        problems.append("expects nothing, but is not negative")
    if query.category == "multi-hop" and len(query.expects) < 2:
        problems.append("is multi-hop, but expects fewer than two events")
    told = [events[name][2].casefold() for name in query.expects if name in events]
    problems += [
        f"has the key fact “{k}”, which no expected statement says"
        for k in query.key_facts
        if not any(k.casefold() in text for text in told)
    ]
    problems += [
        f"forbids “{v}”, which an expected statement says"
        for v in query.forbidden
        if any(v.casefold() in text for text in told)
    ]
    if query.category != "temporal":
        problems += [
            f"expects {name}, which {stale[name]} has made stale"
            for name in query.expects
            if name in stale and stale[name] not in query.expects
        ]
    return problems


def _change_gaps(scenario: Scenario) -> list[str]:
    events = {event.id: event for _, turn in scenario.statements() for event in turn.events}
    changes = Counter(
        (event.kind, events[event.supersedes].kind)
        for event in events.values()
        if event.supersedes and event.supersedes in events
    )
    gaps = []
    if not changes["update", "goal"]:
        gaps.append("needs a changed goal (an update that supersedes a goal)")
    if not changes["cancel", "decision"]:
        gaps.append("needs a cancelled decision (a cancel that supersedes a decision)")
    if not changes["update", "fact"]:
        gaps.append("needs a refined fact (an update that supersedes a fact)")
    if not any(event.repeats for event in events.values()):
        gaps.append("needs an important fact said again (an event that repeats another)")
    return gaps


def _query_gaps(scenario: Scenario) -> list[str]:
    said = {event.id: thread for thread, turn in scenario.statements() for event in turn.events}
    past = multi = 0
    kinds: Counter[str] = Counter()
    ages: set[int] = set()
    for thread, _, query in scenario.queries():
        kinds[query.kind] += 1
        homes = [said[name] for name in query.expects if name in said]
        if not homes:
            continue
        age = thread.day - min(home.day for home in homes)
        ages.add(age)
        past += age >= PAST_DAYS
        multi += len({home.id for home in homes}) > 1
    gaps = []
    if past < 2:
        gaps.append(f"needs 2 questions about what was said {PAST_DAYS} days ago or earlier, has {past}")
    if multi < 2:
        gaps.append(f"needs 2 questions that link statements of different threads, has {multi}")
    if len(ages) < 3:
        gaps.append("needs questions about facts of at least 3 different ages")
    gaps += [
        f"needs a question of kind {kind}" for kind in ("indirect", "time-filtered", "verification") if not kinds[kind]
    ]
    return gaps
