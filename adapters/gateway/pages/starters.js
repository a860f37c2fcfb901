// Operations to begin with: each runs as it stands. GraphiQL (adapters/web) opens them as its tabs,
// the hand-written explorer beside this file as its own.

/** @type {ReadonlyArray<{ name: string, query: string, variables?: object }>} */
export const STARTERS = [
  {
    name: "Live price",
    query: `# Press Run: the price moves.
subscription Price {
  ticker(
    category: LINEAR
    symbol: "BTCUSDT"
  ) {
    lastPrice
    bidPrice
    askPrice
    volume24h
    asOf
    stale
    source
  }
}
`,
  },
  {
    name: "Watchlist",
    query: `# Several prices, one at a time.
subscription Watchlist(
  $instruments: [InstrumentRef!]!
) {
  tickers(
    instruments: $instruments
    maxPerSecond: 2
  ) {
    symbol
    lastPrice
    change24h
    asOf
    stale
  }
}
`,
    variables: {
      instruments: [
        { category: "LINEAR", symbol: "BTCUSDT" },
        { category: "LINEAR", symbol: "ETHUSDT" },
        { category: "SPOT", symbol: "BTCUSDT" },
      ],
    },
  },
  {
    name: "Order book",
    query: `# The whole book each time, and what
# this quantity would cost right now.
subscription Book(
  $instrument: InstrumentRef!
  $quantity: Decimal!
) {
  orderBook(
    instrument: $instrument
    depth: 5
    maxPerSecond: 2
  ) {
    sequence
    bids { price quantity }
    asks { price quantity }
    costToTrade(
      side: BUY
      quantity: $quantity
    ) {
      averagePrice
      slippage
      filled
    }
    stale
  }
}
`,
    variables: { instrument: { category: "LINEAR", symbol: "BTCUSDT" }, quantity: "1" },
  },
  {
    name: "Candles",
    query: `# 200 of them, oldest first: the last
# one is not confirmed, it still moves.
query Candles(
  $instrument: InstrumentRef!
  $interval: Interval!
) {
  candles(
    instrument: $instrument
    interval: $interval
  ) {
    candles {
      start
      openPrice
      highPrice
      lowPrice
      closePrice
      volume
      confirmed
    }
  }
}
`,
    variables: { instrument: { category: "LINEAR", symbol: "BTCUSDT" }, interval: "MINUTE_1" },
  },
  {
    name: "Trades",
    query: `# Every trade, in order; "dropped" says
# how many a slow reader has missed.
subscription Trades(
  $instrument: InstrumentRef!
) {
  trades(instrument: $instrument) {
    trades { side price quantity at }
    dropped
    stale
  }
}
`,
    variables: { instrument: { category: "LINEAR", symbol: "BTCUSDT" } },
  },
  {
    name: "Search",
    query: `query Search($text: String!) {
  searchInstruments(text: $text, first: 5) {
    category
    symbol
    baseAsset
    quoteAsset
    status
    ticker { lastPrice change24h }
  }
}
`,
    variables: { text: "eth" },
  },
  {
    name: "Pages",
    query: `# The next page: put endCursor into the
# variable "after" and run it again.
query Pages($after: String) {
  instruments(
    category: LINEAR
    first: 3
    after: $after
  ) {
    edges {
      node {
        symbol
        tickSize
        minQuantity
        maxLeverage
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    variables: { after: null },
  },
  {
    name: "System status",
    query: `# Kill the feed, and see it here.
subscription Status {
  systemStatus {
    state
    components { name state since detail }
  }
}
`,
  },
  {
    name: "Who I am",
    query: `# Null for nobody: sign in first, with
# the menu or a header "authorization".
query Me {
  viewer {
    id
    email
    emailVerified
    roles
    sessions {
      current
      provider
      secondFactor
      signedInAt
    }
  }
}
`,
  },
  {
    name: "Wallets",
    query: `# Signed in: what there is, what it is worth
# now, and what happened last. Play money:
#   ./dev faucet USER USDT 1000
query Wallets {
  viewer {
    totalValue {
      amount
      currency
    }
    wallets {
      asset
      available
      held
      value {
        amount
        currency
      }
    }
    transactions(first: 5) {
      edges {
        node {
          kind
          asset
          availableChange
          at
        }
      }
    }
  }
}
`,
  },
  {
    name: "Account events",
    query: `# Signed in: what happens on the account,
# from now on or from the cursor "after".
subscription Events($after: String) {
  accountEvents(after: $after) {
    __typename
    type
    recordedAt
    cursor
  }
}
`,
    variables: { after: null },
  },
];
