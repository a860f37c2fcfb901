// urql over HTTP and graphql-ws: what it makes of the server's answers, as one JSON line each.
//
// node urql.mjs http://127.0.0.1:8000/graphql
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url] = process.argv.slice(2);
const tell = (line) => console.log(JSON.stringify(line));
const socket = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket });
const client = new Client({
  url,
  preferGetMethod: false,
  exchanges: [
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
      }),
    }),
  ],
});
const shown = (error) =>
  error && { network: error.networkError?.message, codes: error.graphQLErrors.map((one) => one.extensions?.code) };
const ticker = (symbol, more = '') =>
  `ticker(category: LINEAR, symbol: "${symbol}"${more}) { symbol lastPrice source }`;

async function query(document) {
  const { data, error } = await client.query(document, {});
  return { data, error: shown(error) };
}

/** Values until the end, which urql tells by showing the last one again with `hasNext` false. */
function listen(document) {
  return new Promise((done) => {
    const values = [];
    client.subscription(document, {}).subscribe(({ data, error, hasNext }) => {
      if (error || !hasNext) done({ values, error: shown(error) });
      else values.push(data.ticker);
    });
  });
}

tell({ query: await query(`query { ${ticker('BTCUSDT')} }`) });
tell({ partial: await query(`query { good: ${ticker('ETHUSDT')} bad: ${ticker('ETHUSD')} }`) });
tell({ invalid: await query('query { noSuchField }') });
tell({ subscription: await listen(`subscription { ${ticker('BTCUSDT', ', stopAfter: 3')} }`) });
tell({ refused: await listen(`subscription { ${ticker('BTCUSD')} }`) });
await socket.dispose();
