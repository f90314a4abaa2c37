"""The job of `../run` on Celery: queue, normalise, upsert, acknowledge late.

Celery at its best: no ORM, one session and one prepared statement per worker process, no results, no events.
Where the servers are is in REDIS_URL and DATABASE_URL; each worker process leaves the number of ticks that it stored as
a file in COUNTS when it ends.
"""

import os
import pathlib

import psycopg
from celery import Celery, signals

JOB = pathlib.Path(__file__).parent.parent / "job"
TICKERS = (JOB / "tickers.sql").read_text()
UPSERT = (JOB / "upsert.sql").read_text()

app = Celery("ticks", broker=os.environ["REDIS_URL"])
app.conf.update(
    task_default_queue="websocket_data",
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)


class Store:
    """What a worker process keeps: its session, the rows of all symbols, and how much it has done."""

    session = None
    tickers = {}
    stored = 0


@signals.worker_process_init.connect
def connect(**_):
    Store.session = psycopg.connect(
        os.environ["DATABASE_URL"], autocommit=True, cursor_factory=psycopg.RawCursor, prepare_threshold=0
    )
    Store.tickers = {("binance", symbol): ticker for symbol, ticker in Store.session.execute(TICKERS)}


@signals.worker_process_shutdown.connect
def leave(**_):
    pathlib.Path(os.environ["COUNTS"], str(os.getpid())).write_text(str(Store.stored))


@app.task(name="store_tick")
def store_tick(feed, seq, message):
    trade = message["data"]
    ticker = Store.tickers[feed, trade["s"]]
    Store.session.execute(UPSERT, [ticker, seq, trade["p"], trade["q"], trade["T"]])
    Store.stored += 1
