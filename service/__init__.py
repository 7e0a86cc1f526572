"""How people reach kerasdoctor over the network: HTTP API, web chat, Slack, MCP, and the storage behind them.

Everything that lasts is in the database (`tables.py`) and the file store (`files.py`), so that several copies can serve one
database. A message is a row, its answer a job (`jobs.py`), what happens meanwhile a row of the chat's events (`events.py`).
"""
