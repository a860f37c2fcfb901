// mercurius as its manual shows it, with its compiler on.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { publish, ready, socket, typeDefs, watch } from './source.mjs'

const app = Fastify()
app.register(mercurius, {
  schema: typeDefs,
  jit: 1,
  subscription: true,
  resolvers: {
    Query: { ready: () => true },
    Subscription: { ticker: { subscribe: (_root, { symbol }) => watch(symbol) } }
  }
})
await app.ready()
app.server.listen({ ...socket, backlog: 2048 }, () => { publish(); ready() })
