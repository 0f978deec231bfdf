"""LLM: the only door to a model.

Takes: messages, a schema, texts to embed.
Gives: answers with usage and price, from an OpenAI-compatible endpoint or the offline engine.
Never: knows what the answer is for.
"""
