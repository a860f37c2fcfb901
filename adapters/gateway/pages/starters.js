// Operations to begin with: each runs as it stands.

export const STARTERS = [
  {
    name: "Live price",
    query: `subscription Price {
  ticker(category: LINEAR, symbol: "BTCUSDT") {
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
    name: "Tickers",
    query: `query Tickers {
  tickers(instruments: [{category: LINEAR, symbol: "BTCUSDT"}]) {
    lastPrice
    asOf
    stale
    source
  }
}
`,
  },
  {
    name: "Order book",
    query: `subscription Book {
  orderBook(
    instrument: {category: LINEAR, symbol: "BTCUSDT"}
    depth: 5
    maxPerSecond: 2
  ) {
    sequence
    bids { price quantity }
    asks { price quantity }
    costToTrade(side: BUY, quantity: "1") { averagePrice slippage filled }
    stale
  }
}
`,
  },
  {
    name: "Instruments",
    query: `query Instruments {
  instruments(category: LINEAR, first: 5) {
    edges {
      node {
        symbol
        tickSize
      }
    }
  }
}
`,
  },
  {
    name: "System status",
    query: `subscription Status {
  systemStatus {
    state
    components {
      name
      state
      since
      detail
    }
  }
}
`,
  },
];
