// The panel beside history and explorer: what an answer says beside its data.

import type { GraphiQLPlugin } from "@graphiql/react";
import { type ReactNode, useSyncExternalStore } from "react";

import type { Answer, AnswerLog, Json } from "./answers";

const STATES = { running: "running", done: "ended", failed: "failed" };

export function answerPlugin(answers: AnswerLog): GraphiQLPlugin {
  function Panel() {
    const answer = useSyncExternalStore(answers.subscribe, answers.newest);
    return (
      <section className="answer" aria-label="Answer">
        <div className="graphiql-doc-explorer-title">Answer</div>
        {answer === null ? <Nothing /> : <Shown answer={answer} />}
      </section>
    );
  }
  return { title: "Answer", icon: Icon, content: Panel };
}

function Nothing() {
  return (
    <p>
      Run an operation: its status, its timing, its correlation id and the server's{" "}
      <code>extensions</code> appear here; of a subscription, how many values come each second.
    </p>
  );
}

function Shown({ answer }: { answer: Answer }) {
  return (
    <>
      <dl>
        <Fact name="Operation">{answer.operation}</Fact>
        {answer.kind === "subscription" ? <Stream answer={answer} /> : <Request answer={answer} />}
        {answer.headers.map(([name, value]) => (
          <Fact key={name} name={name}>
            <code>{value}</code>
          </Fact>
        ))}
      </dl>
      {answer.errors.length > 0 && <Errors errors={answer.errors} />}
      <h3>Extensions</h3>
      {answer.extensions ? (
        <Code value={answer.extensions} />
      ) : (
        <p>
          None in this answer. What the server tells beside the data, like the cost of a query or
          the deprecated fields it uses, appears here.
        </p>
      )}
    </>
  );
}

function Request({ answer }: { answer: Answer }) {
  return (
    <>
      <Fact name="Status">
        {answer.status === undefined ? STATES[answer.state] : `HTTP ${answer.status}`}
      </Fact>
      {answer.milliseconds !== undefined && (
        <Fact name="Took">{`${answer.milliseconds.toFixed(0)} ms`}</Fact>
      )}
    </>
  );
}

function Stream({ answer }: { answer: Answer }) {
  const live = answer.state === "running" && answer.values > 0;
  return (
    <>
      <Fact name="Status">{live ? "live, over WebSocket" : STATES[answer.state]}</Fact>
      <Fact name="Values">{answer.values.toLocaleString("en")}</Fact>
      <Fact name="Per second">{answer.perSecond.toFixed(1)}</Fact>
    </>
  );
}

function Errors({ errors }: { errors: ReadonlyArray<Json> }) {
  return (
    <>
      <h3>Errors</h3>
      {errors.map((error, index) => (
        <div key={index} className="problem">
          <p>{String(error["message"])}</p>
          {error["extensions"] ? <Code value={error["extensions"]} /> : null}
        </div>
      ))}
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Code({ value }: { value: unknown }) {
  return <pre tabIndex={0}>{JSON.stringify(value, null, 2)}</pre>;
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <path d="M3 13h4l3-8 4 14 3-6h4" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
