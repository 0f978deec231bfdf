"""EXPERIMENTS: registry of experiments, data splits and golden set; runs arms and evaluation passes.

Takes: an experiment spec and prepared parameter versions.
Gives: paired runs, exactly one per example and arm; counted golden looks; stored results.
Never: decides a verdict, writes a parameter.
"""
