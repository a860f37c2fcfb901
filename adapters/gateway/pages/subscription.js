// One subscription over a raw WebSocket, protocol graphql-transport-ws, which survives the server.

const PROTOCOL = "graphql-transport-ws";
const ACK_WITHIN_MS = 10_000;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];
// Closed for a reason that trying again cannot change.
const FATAL = new Set([4400, 4401, 4406, 4409, 4429]);

/**
 * Subscribe until `stop()` is called on what is returned.
 *
 * `on.state(word, detail)` gets "connecting", "live", "waiting" (will try again), "done" or
 * "failed"; `on.value(result)` every result; `on.errors(list)` what ends the operation.
 * `headers()` is asked at each connection; after it changed, `renew()` tells the living socket of a
 * newer token, and `reconnect()` leaves it for one of somebody else.
 */
export function subscribe(operation, headers, on) {
  let socket = null;
  let timer = 0;
  let tries = 0;
  let over = false;

  const send = (message) => socket.send(JSON.stringify(message));

  function end(word, detail) {
    over = true;
    clearTimeout(timer);
    on.state(word, detail);
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close(1000);
  }

  function connect() {
    on.state("connecting");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}/graphql`, PROTOCOL);
    socket.onopen = () => {
      send({ type: "connection_init", payload: headers() });
      timer = setTimeout(() => socket.close(), ACK_WITHIN_MS);
    };
    socket.onmessage = ({ data }) => receive(JSON.parse(data));
    socket.onclose = closed;
  }

  function receive(message) {
    if (over) return;
    if (message.type === "connection_ack") {
      clearTimeout(timer);
      send({ id: "1", type: "subscribe", payload: operation });
      on.state("live");
    } else if (message.type === "next") {
      tries = 0;
      on.value(message.payload);
    } else if (message.type === "error") {
      on.errors(message.payload);
      end("failed", "The server refused the operation");
    } else if (message.type === "complete") {
      end("done", "Completed");
    } else if (message.type === "ping") {
      send({ type: "pong" });
    }
  }

  function closed({ code, reason }) {
    clearTimeout(timer);
    if (over) return;
    if (FATAL.has(code)) {
      on.errors([{ message: reason || `The server closed the socket (${code}).` }]);
      end("failed", `Closed by the server (${code})`);
      return;
    }
    const base = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)];
    tries += 1;
    // Spread out: a restarted server must not meet all its clients in one moment.
    const wait = base * (0.75 + Math.random() / 2);
    const why = code === 1012 ? "The server restarts" : "Connection lost";
    on.state("waiting", `${why}; try ${tries} in ${(wait / 1000).toFixed(1)} s`);
    timer = setTimeout(connect, wait);
  }

  connect();
  return {
    renew() {
      if (socket.readyState === WebSocket.OPEN) send({ type: "ping", payload: headers() });
    },
    reconnect() {
      if (over) return;
      clearTimeout(timer);
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(1000);
      connect();
    },
    stop() {
      if (over) return;
      if (socket.readyState === WebSocket.OPEN) send({ id: "1", type: "complete" });
      end("done", "Stopped");
    },
  };
}
