"""How far a judge may be believed: people label what it judged, blind, and their agreement is measured.

`agreement` (figures with intervals), `drawing` (which cases), `drift` (is it getting worse) and `rule` (what the policy
asks) are pure. `frame` and `selectors` read, `labelling` and `monitor` write. Decision 0019 says why each is so.
"""
