// What clients make of one answer with data and errors, under several statuses and media types.
//
// node statuses.mjs http://127.0.0.1:8000 200 294    asks /<status>/json and /<status>/modern
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client/core';
import { Client, fetchExchange } from '@urql/core';
import { GraphQLClient } from 'graphql-request';

const [base, ...statuses] = process.argv.slice(2);
const QUERY = 'query { good bad }';

async function apollo(url, errorPolicy) {
  const client = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: url }) });
  try {
    const { data, error } = await client.query({ query: gql(QUERY), errorPolicy, fetchPolicy: 'no-cache' });
    return { thrown: null, data, codes: error?.errors?.map((one) => one.extensions.code) };
  } catch (error) {
    return { thrown: error.name, data: error.data, codes: error.errors?.map((one) => one.extensions.code) };
  }
}

async function urql(url) {
  const client = new Client({ url, preferGetMethod: false, exchanges: [fetchExchange] });
  const { data, error } = await client.query(QUERY, {});
  return { thrown: null, data, codes: error?.graphQLErrors.map((one) => one.extensions.code) };
}

async function request(url, errorPolicy) {
  try {
    const { data, errors } = await new GraphQLClient(url, { errorPolicy }).rawRequest(QUERY);
    return { thrown: null, data, codes: errors?.map((one) => one.extensions.code) };
  } catch ({ constructor, response }) {
    return { thrown: constructor.name, data: response.data, codes: response.errors.map((one) => one.extensions.code) };
  }
}

for (const status of statuses) {
  for (const media of ['json', 'modern']) {
    const url = `${base}/${status}/${media}`;
    const made = {
      'apollo none': await apollo(url, 'none'),
      'apollo all': await apollo(url, 'all'),
      'urql': await urql(url),
      'graphql-request none': await request(url, 'none'),
      'graphql-request all': await request(url, 'all'),
    };
    console.log(JSON.stringify({ status: Number(status), media, made }));
  }
}
