// The dashboard's query in mercurius; BENCH_JIT=1 turns its compiler on. Shape and rows are the
// ones of tests/bench/rivals/plain_query.py, which are the product's.
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { ready, socket } from './source.mjs'

const { typeDefs, tickers, instruments } = JSON.parse(readFileSync(process.env.BENCH_DATA, 'utf8'))
const app = Fastify()
app.register(mercurius, {
  schema: typeDefs,
  jit: process.env.BENCH_JIT === '1' ? 1 : 0,
  resolvers: {
    Query: {
      tickers: async (_root, args) => args.instruments.map(({ symbol }) => tickers[symbol]),
      instruments: async (_root, { first }) => ({
        edges: instruments.slice(0, first).map((node) => ({ node })),
        pageInfo: { hasNextPage: true }
      })
    }
  }
})
await app.ready()
app.server.listen({ ...socket, backlog: 2048 }, ready)
