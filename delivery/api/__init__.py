"""The machine API of what happens at run time (design, sections 6.2 and 6.4).

Hooks and feeds as builders speak them; subscriptions, events, deliveries and replays. `telling.py`
reads what an answer needs for many rows at once; `shapes.py` and `order_shapes.py` say what goes
out and comes in.
"""
