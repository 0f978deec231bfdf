"""PAGES: what a person sees in the browser.

Takes: what the rooms have stored, read through selectors; a person's clicks.
Gives: server-rendered pages whose title is their news; each click is one call of a service.
Never: decides anything, or hides what a service would refuse.
"""
