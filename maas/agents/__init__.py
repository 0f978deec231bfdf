"""Analyzer, Assembler, Final Responder, Archivist: each does its work on a claimed run and writes no state."""
