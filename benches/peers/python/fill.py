"""Puts ticks on the queue with Celery's own producer: `python fill.py TICKS SYMBOLS`."""

import sys
import time

from ticks import app, store_tick


def frame(seq, symbols):
    """Number `seq` of a round over all symbols: a frame of the combined streams, as Binance documents it."""
    symbol = f"SIM{seq % symbols + 1:03}USDT"
    ms = time.time_ns() // 1_000_000
    return {
        "stream": f"{symbol.lower()}@trade",
        "data": {
            "e": "trade",
            "E": ms,
            "s": symbol,
            "t": seq,
            "p": f"61685.{seq % 100:02}000000",
            "q": f"0.{seq % 9_000 + 1_000}0000",
            "T": ms,
            "m": True,
            "M": True,
        },
    }


def main():
    ticks, symbols = int(sys.argv[1]), int(sys.argv[2])
    with app.producer_pool.acquire(block=True) as producer:
        for seq in range(ticks):
            store_tick.apply_async(("binance", seq, frame(seq, symbols)), producer=producer)


if __name__ == "__main__":
    main()
