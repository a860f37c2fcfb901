// What the last operation brought: kept outside of React, because values come from a socket.

export type Json = Record<string, unknown>;

/** One operation from its start on; replaced whole on every change, so that React sees it. */
export interface Answer {
  readonly operation: string;
  readonly kind: "request" | "subscription";
  readonly state: "running" | "done" | "failed";
  readonly status?: number;
  readonly milliseconds?: number;
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly values: number;
  readonly perSecond: number;
  readonly extensions?: Json;
  readonly errors: ReadonlyArray<Json>;
}

type Listener = () => void;

/** Holds the newest answer and tells who listens; a snapshot never changes. */
export class AnswerLog {
  #newest: Answer | null = null;
  readonly #listeners = new Set<Listener>();

  readonly subscribe = (listener: Listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly newest = () => this.#newest;

  /** Begin an answer; what an earlier one still brings is no longer shown. */
  begin(operation: string, kind: Answer["kind"]): AnswerWriter {
    const first: Answer = {
      operation,
      kind,
      state: "running",
      headers: [],
      values: 0,
      perSecond: 0,
      errors: [],
    };
    let current = first;
    this.#show(current);
    return (change) => {
      if (this.#newest !== current) return;
      current = { ...current, ...change };
      this.#show(current);
    };
  }

  #show(answer: Answer) {
    this.#newest = answer;
    for (const listener of this.#listeners) listener();
  }
}

export type AnswerWriter = (change: Partial<Answer>) => void;

/** The `extensions` and errors of a result, whatever else it is. */
export function told(result: unknown): Pick<Answer, "errors"> & { extensions?: Json } {
  const { extensions, errors } = (result ?? {}) as { extensions?: Json; errors?: Json[] };
  return { errors: errors ?? [], ...(extensions ? { extensions } : {}) };
}
