"""Curves and charts, as SVG and PNG, by matplotlib (the extra ``plots``)."""
