"""What ties Signalbox together: settings, URLs, ASGI, the Celery app, embedded services, `up`.

Lives here: everything that knows the environment it runs in, the demo and its receiver, deployment.
Does not: any rule of the product. Nothing imports `config` but entry points.
Start reading at `settings.py`, then `urls.py`, `celery.py` and `management/commands/up.py`.
"""
