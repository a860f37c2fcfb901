// Apollo Client over HTTP and graphql-ws: what it makes of the server's answers, as one JSON line each.
//
// node apollo.mjs http://127.0.0.1:8000/graphql             everything once
// node apollo.mjs http://127.0.0.1:8000/graphql --forever   live prices until killed
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

globalThis.WebSocket ??= WebSocket; // the link looks at the global one; Node has it since 22
const [url, forever] = process.argv.slice(2);
const tell = (line) => console.log(JSON.stringify(line));
const socket = createClient({
  url: url.replace('http', 'ws'),
  webSocketImpl: WebSocket,
  retryAttempts: Infinity,
  retryWait: () => new Promise((waited) => setTimeout(waited, 100)),
  on: { closed: ({ code }) => tell({ closed: code }), connected: () => tell({ connected: true }) },
});
const client = new ApolloClient({
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    new HttpLink({ uri: url }),
  ),
  cache: new InMemoryCache({ typePolicies: { Ticker: { keyFields: ['category', 'symbol'] } } }),
});
const shown = (error) => error && { name: error.name, codes: error.errors?.map((one) => one.extensions?.code) };
const ticker = (symbol, more = '') =>
  `ticker(category: LINEAR, symbol: "${symbol}"${more}) { category symbol lastPrice source }`;

function listen(document, { onValue }) {
  return new Promise((done) => {
    client.subscribe({ query: gql(document) }).subscribe({
      next: ({ data, error }) => onValue(data?.ticker, shown(error)),
      error: (error) => done({ error: shown(error) }),
      complete: () => done({ completed: true }),
    });
  });
}

if (forever) {
  await listen(`subscription { ${ticker('BTCUSDT')} }`, { onValue: (value) => tell({ value }) });
}

const QUERY = gql(`query { ${ticker('BTCUSDT')} }`);
tell({ query: (await client.query({ query: QUERY })).data });

const PARTIAL = gql(`query { good: ${ticker('ETHUSDT')} bad: ${ticker('ETHUSD')} }`);
for (const errorPolicy of ['none', 'all']) {
  try {
    const { data, error } = await client.query({ query: PARTIAL, errorPolicy, fetchPolicy: 'no-cache' });
    tell({ partial: errorPolicy, thrown: false, data, error: shown(error) });
  } catch (error) {
    tell({ partial: errorPolicy, thrown: true, data: error.data, error: shown(error) });
  }
}

try {
  await client.query({ query: gql('query { noSuchField }') });
} catch (error) {
  tell({ invalid: shown(error) });
}

const values = [];
const end = await listen(`subscription { ${ticker('BTCUSDT', ', stopAfter: 3')} }`, {
  onValue: (value) => values.push(value),
});
tell({ subscription: values, ...end });
// The cache merged the live price into what the query had stored.
tell({ cached: client.readQuery({ query: QUERY }) });

let refused;
await listen(`subscription { ${ticker('BTCUSD')} }`, { onValue: (_, error) => (refused = error) });
tell({ refused });
await socket.dispose();
