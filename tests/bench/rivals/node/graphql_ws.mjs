// graphql-ws over ws and graphql-js, as its manual shows it.
import { createServer } from 'node:http'
import { buildSchema } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { publish, ready, socket, typeDefs, watch } from './source.mjs'

const schema = buildSchema(typeDefs)
schema.getSubscriptionType().getFields().ticker.subscribe = (_root, { symbol }) => watch(symbol)
const server = createServer()
useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }))
server.listen({ ...socket, backlog: 2048 }, () => { publish(); ready() })
