"""Rating by people: results compared blind, in pairs, and the scores of their choices.

A sheet names items (a photograph, a painting, the results of several contenders); a page shows
two results at a time without names; the choices become Bradley-Terry scores. docs/measuring.md has
the formats and how to read the scores.
"""
