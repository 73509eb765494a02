"""A small shop that shows every part of Signalbox with live data.

`content.py` is the shop's vocabulary, `seed.py` builds it through the verbs that people use,
`history.py` lays a day of traffic behind it, `receiver.py` plays its subscribers.
"""
