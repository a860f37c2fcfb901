// Live prices with graphql-ws, the JavaScript client of graphql-transport-ws.
//
// npm ci
// node prices.mjs ws://127.0.0.1:8000/graphql BTCUSDT [how many]
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, symbol, count] = process.argv.slice(2);
const client = createClient({ url, webSocketImpl: WebSocket, shouldRetry: () => true });

const prices = client.iterate({
  query: `subscription Price($symbol: String!, $stopAfter: Int) {
    ticker(category: LINEAR, symbol: $symbol, stopAfter: $stopAfter) {
      symbol lastPrice bidPrice askPrice asOf stale source
    }
  }`,
  variables: { symbol, stopAfter: count === undefined ? null : Number(count) },
});

for await (const { data, errors } of prices) {
  if (errors) throw new Error(JSON.stringify(errors));
  const { asOf, symbol, lastPrice, stale } = data.ticker; // prices are strings: never parseFloat money
  console.log(asOf, symbol, lastPrice, stale ? 'stale' : 'live');
}
await client.dispose();
