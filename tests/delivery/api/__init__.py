"""The machine API of delivery: hooks, feeds, subscriptions, events, deliveries, replays."""
