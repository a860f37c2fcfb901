// Prices in process, in the rhythm every rival is fed with (tests/bench/rig/rhythm.py).
import { writeSync } from 'node:fs'

const { env } = process
const symbols = Number(env.BENCH_SYMBOLS ?? 1)
const perSecond = Number(env.BENCH_PER_SECOND ?? 1)
const spread = env.BENCH_SPREAD === '1'
const queueMax = 16

export const typeDefs = `
  enum Category { LINEAR }
  type Ticker {
    symbol: String! lastPrice: String! bidPrice: String! askPrice: String!
    volume24h: String! asOf: String! stale: Boolean!
  }
  type Query { ready: Boolean! }
  type Subscription { ticker(category: Category!, symbol: String!): Ticker! }
`

const symbolOf = (index) => `S${String(index).padStart(2, '0')}USDT`
const listeners = new Map(Array.from({ length: symbols }, (_, index) => [symbolOf(index), new Set()]))

const priceOf = (symbol, count) => ({
  symbol,
  lastPrice: `${64000 + (count % 1000)}.10`,
  bidPrice: '64250.00',
  askPrice: '64250.20',
  volume24h: '18234.112',
  asOf: new Date().toISOString(),
  stale: false
})

// A bounded queue per subscriber, which loses its oldest price when it is full.
export function watch (symbol) {
  const queue = []
  let wake = null
  let over = false
  const end = { value: undefined, done: true }
  const hear = (price) => {
    const value = { ticker: price }
    if (wake) {
      wake({ value, done: false })
      wake = null
      return
    }
    if (queue.length >= queueMax) queue.shift()
    queue.push(value)
  }
  listeners.get(symbol).add(hear)
  const stop = () => {
    over = true
    listeners.get(symbol).delete(hear)
    wake?.(end)
    wake = null
    return Promise.resolve(end)
  }
  return {
    next () {
      if (queue.length) return Promise.resolve({ value: queue.shift(), done: false })
      if (over) return Promise.resolve(end)
      return new Promise((resolve) => { wake = resolve })
    },
    return: stop,
    throw: (error) => stop().then(() => Promise.reject(error)),
    [Symbol.asyncIterator] () { return this }
  }
}

export function publish () {
  let full = env.BENCH_FLOWING === '1'
  process.on('SIGUSR1', () => { full = true })
  const every = [...listeners.keys()]
  const groups = spread ? every.map((symbol) => [symbol]) : [every]
  let turn = 0
  let count = 0
  let at = performance.now()
  const beat = () => {
    const pause = 1000 / (full ? perSecond : 1) / groups.length
    if (turn === 0) count++
    for (const symbol of groups[turn]) {
      const price = priceOf(symbol, count)
      for (const hear of [...listeners.get(symbol)]) hear(price)
    }
    turn = (turn + 1) % groups.length
    at = Math.max(at + pause, performance.now() - pause)
    setTimeout(beat, Math.max(0, at - performance.now()))
  }
  beat()
}

export const socket = { fd: Number(env.OKD_LISTEN_FD) }

export function ready () {
  writeSync(Number(env.OKD_READY_FD), 'ready\n')
  process.on('SIGTERM', () => process.exit(0))
}
