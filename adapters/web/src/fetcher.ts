// What runs operations, watched: GraphiQL's own fetcher by POST, subscriptions over their sockets.
// Who is signed in is added here and nowhere else: no header of it is GraphiQL's to keep.

import { createGraphiQLFetcher, type Fetcher, type FetcherParams } from "@graphiql/toolkit";
import { type DocumentNode, Kind, type OperationDefinitionNode, parse } from "graphql";

import { type AnswerLog, type AnswerWriter, type Json, told } from "./answers";
import { Rate } from "./rate";
import type { SignIn } from "./sign-in";
import { subscription } from "./socket";

const URL_PATH = "/graphql";
const SHOWN_HEADERS = [
  "x-correlation-id",
  "server-timing",
  "retry-after",
  "content-type",
  "content-encoding",
];
const LOOK_EVERY_MS = 1000;

export function watchedFetcher(answers: AnswerLog, signIn: SignIn | null): Fetcher {
  return async (params, options) => {
    if (params.operationName === "IntrospectionQuery") return schemaFetcher(params, options);
    const operation = meant(params);
    const name = operation?.name?.value ?? params.operationName ?? null;
    const kind = operation?.operation === "subscription" ? "subscription" : "request";
    const write = answers.begin(name || "(no name)", kind);
    const typed = options?.headers ?? {};
    const sent = { ...params, operationName: name };
    if (kind === "subscription") return watched(subscription(sent, typed, signIn), write);
    try {
      // Without a document it goes by POST, too, and the server says what is wrong with it.
      const headers = signIn?.onTopOf(typed) ?? typed;
      const result = await fetcherThatTells(write)(sent, { headers });
      write({ state: "done", values: 1, ...told(result) });
      return result;
    } catch (error) {
      write({ state: "failed", errors: refusal(error) });
      throw error;
    }
  };
}

const schemaFetcher = createGraphiQLFetcher({ url: URL_PATH, enableIncrementalDelivery: false });

function fetcherThatTells(write: AnswerWriter): Fetcher {
  return createGraphiQLFetcher({
    url: URL_PATH,
    enableIncrementalDelivery: false,
    fetch: async (input, init) => {
      const began = performance.now();
      const response = await fetch(input, init);
      write({
        status: response.status,
        milliseconds: performance.now() - began,
        headers: SHOWN_HEADERS.flatMap((name) => {
          const value = response.headers.get(name);
          return value === null ? [] : [[name, value] as const];
        }),
      });
      return response;
    },
  });
}

/**
 * The operation to run. GraphiQL learns of an edit a moment late: who changes the tab and runs at
 * once would send the new text with the old tab's name. An only operation is always meant.
 */
function meant({ query, operationName }: FetcherParams): OperationDefinitionNode | undefined {
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch {
    return undefined;
  }
  const operations = document.definitions.filter((d) => d.kind === Kind.OPERATION_DEFINITION);
  const only = operations.length === 1 ? operations[0] : undefined;
  return only ?? operations.find((each) => each.name?.value === operationName);
}

/** The errors of a subscription the server refuses are thrown as they came, as a list. */
function refusal(error: unknown): Json[] {
  return Array.isArray(error) ? error : [];
}

/** The same values, counted. No async generator: its `return` would wait for the next value. */
function watched(source: AsyncIterable<unknown>, write: AnswerWriter): AsyncIterableIterator<never> {
  const inner = source[Symbol.asyncIterator]();
  const rate = new Rate();
  const perSecond = () => rate.at(performance.now());
  let values = 0;
  const beat = setInterval(() => write({ perSecond: perSecond() }), LOOK_EVERY_MS);

  function end(state: "done" | "failed") {
    clearInterval(beat);
    write({ state, perSecond: 0 });
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        const step = await inner.next();
        if (step.done) {
          end("done");
        } else {
          rate.add(performance.now());
          values += 1;
          write({ values, perSecond: perSecond(), ...told(step.value) });
        }
        return step as IteratorResult<never>;
      } catch (error) {
        end("failed");
        write({ errors: refusal(error) });
        throw error;
      }
    },
    async return() {
      end("done");
      await inner.return?.();
      return { done: true, value: undefined };
    },
  };
}
