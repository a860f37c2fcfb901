// A subscription over a socket of its own, graphql-transport-ws, which belongs to who is signed in.

import type { FetcherParams } from "@graphiql/toolkit";
import { type Client, createClient } from "graphql-ws";

import { byHand, type SignIn } from "./sign-in";

type Headers = Record<string, unknown>;
type Values = ReturnType<Client["iterate"]>;

const URL = location.origin.replace(/^http/, "ws") + "/graphql";

/**
 * The values of a subscription. The headers are the payload of connection_init; a newer token is
 * told to the living socket, and another person begins anew on another one.
 */
export function subscription(
  params: FetcherParams,
  headers: Headers,
  signIn: SignIn | null,
): AsyncIterableIterator<unknown> {
  let socket: WebSocket | undefined;
  let current = open();
  const forget = signIn && !byHand(headers) ? listen(signIn) : () => {};

  function payload() {
    return signIn?.onTopOf(headers) ?? headers;
  }

  function open(): Values {
    socket = undefined;
    const client = createClient({
      url: URL,
      connectionParams: payload,
      on: {
        connected: (opened) => {
          socket = opened as WebSocket;
        },
      },
    });
    return client.iterate({ ...params, operationName: params.operationName ?? null });
  }

  function listen(known: SignIn) {
    let before = known.state().person;
    return known.subscribe(() => {
      const { person } = known.state();
      if (person === before) return;
      const sameSignIn = person?.signedInAt === before?.signedInAt;
      before = person;
      if (sameSignIn) {
        // docs/subscriptions.md: a ping with the newer token lets the socket stay.
        const ping = JSON.stringify({ type: "ping", payload: payload() });
        if (socket?.readyState === WebSocket.OPEN) socket.send(ping);
      } else {
        const old = current;
        current = open();
        void old.return?.();
      }
    });
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      for (;;) {
        const asked = current;
        try {
          const step = await asked.next();
          if (asked !== current) continue;
          if (step.done) forget();
          return step;
        } catch (error) {
          if (asked !== current) continue;
          forget();
          throw error instanceof CloseEvent
            ? new Error(`The socket was closed: ${error.code} ${error.reason}`)
            : error;
        }
      }
    },
    async return() {
      forget();
      await current.return?.();
      return { done: true, value: undefined };
    },
  };
}
