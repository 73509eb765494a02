"""The machine API of the catalog, and what the doors of all apps share (design, section 6).

Start reading at `doors.py` (who asks, for which environment, lists and single things), then
`shapes.py` (what goes out) and the views by noun.
"""
