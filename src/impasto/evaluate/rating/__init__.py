"""The eye: results compared blind, in pairs, by people; and what their choices amount to.

A sheet names items (a photograph, a painting, the results of several contenders); a page shows
them in pairs without names; its choices become Bradley-Terry scores. docs/measuring.md has the
formats and how to read the scores.
"""
