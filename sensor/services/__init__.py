"""The Sensor's verbs: record runs, ground truth and judgements. All may be repeated and come in any order."""

from sensor.domain.report import CaptureReport
from sensor.services.batches import batch_label
from sensor.services.capture import runs_capture
from sensor.services.cursor import backfill, catch_up
from sensor.services.ingest import telemetry_ingest
from sensor.services.judgements import judgements_record
from sensor.services.truths import ground_truth_record

__all__ = [
    "CaptureReport",
    "backfill",
    "batch_label",
    "catch_up",
    "ground_truth_record",
    "judgements_record",
    "runs_capture",
    "telemetry_ingest",
]
