"""The shape of production as processes: a proxy with TLS, two nodes, OPA, a primary and its synchronous replica.

`python3 run.py shape` starts it, asks steadily, kills a node and then the replica, brings both back, and shows second
by second what a caller saw, and whether every answer has its entries.
"""
