"""Live prices with gql, the Python GraphQL client.

pip install "gql[websockets]"
python prices.py ws://127.0.0.1:8000/graphql BTCUSDT [how many]
"""

import asyncio
import sys

from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

PRICE = gql("""
subscription Price($symbol: String!, $stopAfter: Int) {
  ticker(category: LINEAR, symbol: $symbol, stopAfter: $stopAfter) {
    symbol lastPrice bidPrice askPrice asOf stale source
  }
}
""")


async def main(url: str, symbol: str, count: int | None = None) -> None:
    transport = WebsocketsTransport(url=url, subprotocols=["graphql-transport-ws"])
    async with Client(transport=transport) as session:
        PRICE.variable_values = {"symbol": symbol, "stopAfter": count}
        async for result in session.subscribe(PRICE):
            ticker = result["ticker"]
            # Prices are strings: turn them into Decimal, never into float.
            mark = "stale" if ticker["stale"] else "live"
            print(ticker["asOf"], ticker["symbol"], ticker["lastPrice"], mark, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None))
