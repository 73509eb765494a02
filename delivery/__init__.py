"""What happens at run time: publish, route, dispatch, settle, fail visibly, replay.

Lives here: the life of an event, subscriptions, transports, failures and the pages that show them.
Does not: who may change a contract or hold a grant (`governance`); it only asks.
Start reading at `publishing.py`, then `routing.py`, `dispatch.py`, `settling.py` and `replays.py`.
"""
