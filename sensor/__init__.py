"""SENSOR: records every finished run, concludes nothing.

Takes: events and tables of MaaS; ground truth and judgements as messages.
Gives: sensor_events and telemetry_events, complete enough that nobody needs MaaS again.
Never: judges, computes quality, calls a model.
"""
