"""The studio: a page on one's own machine where a picture is steered while it is painted.

Needs the extra ``studio`` (Gradio), which only :mod:`impasto.studio.page` and
:mod:`impasto.studio.server` import.
"""
