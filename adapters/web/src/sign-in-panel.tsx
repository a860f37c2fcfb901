// The panel that signs in as a demo user: in the sandbox only.

import type { GraphiQLPlugin } from "@graphiql/react";
import { useEffect, useId, useState, useSyncExternalStore } from "react";

import type { Person, SignIn } from "./sign-in";

export function signInPlugin(signIn: SignIn): GraphiQLPlugin {
  function Panel() {
    const { person, busy, problem } = useSyncExternalStore(signIn.subscribe, signIn.state);
    const [name, choose] = useState(person?.user.name ?? signIn.users[0]?.name);
    const chosen = signIn.users.find((user) => user.name === name);
    const id = useId();
    const again = person !== null && person.user === chosen;
    return (
      <section className="sign-in" aria-label="Sign in">
        <div className="graphiql-doc-explorer-title">Sign in</div>
        <p>Demo users of this sandbox. Play money, and a second factor that types its own code.</p>
        <label htmlFor={id}>Demo user</label>
        <select id={id} value={name} onChange={({ target }) => choose(target.value)}>
          {signIn.users.map(({ name, role, secondFactor }) => (
            <option key={name} value={name}>
              {`${name} · ${role}${secondFactor ? " · TOTP" : ""}`}
            </option>
          ))}
        </select>
        <div className="buttons">
          <button
            type="button"
            className="graphiql-button"
            disabled={busy || chosen === undefined}
            onClick={() => chosen && signIn.signIn(chosen)}
          >
            {again && chosen.secondFactor ? "Step up" : again ? "Sign in again" : "Sign in"}
          </button>
          {person && (
            <button type="button" className="graphiql-button" onClick={() => signIn.signOut()}>
              Sign out
            </button>
          )}
        </div>
        <p role="status" className={problem ? "problem" : undefined}>
          {problem || (busy ? "Signing in …" : person ? "" : "Nobody is signed in.")}
        </p>
        {person && <Shown person={person} />}
      </section>
    );
  }
  return { title: "Sign in", icon: Icon, content: Panel };
}

function Shown({ person }: { person: Person }) {
  const now = useNow();
  return (
    <>
      <dl>
        <div>
          <dt>Signed in</dt>
          <dd>{person.user.email}</dd>
        </div>
        <div>
          <dt>Roles</dt>
          <dd>{person.roles.join(", ") || "none"}</dd>
        </div>
        <div>
          <dt>Second factor</dt>
          <dd>{person.user.secondFactor ? `TOTP, ${lasting(now - person.signedInAt)} ago` : "none"}</dd>
        </div>
        <div>
          <dt>Token ends in</dt>
          <dd>{lasting(person.endsAt - now)}</dd>
        </div>
      </dl>
      <p>
        The token is renewed before it ends and is kept in this page's memory only. An{" "}
        <code>authorization</code> in the Headers tab wins. What asks for a step-up takes a second
        factor of the last five minutes, once.
      </p>
    </>
  );
}

function useNow(): number {
  const [now, tick] = useState(Date.now);
  useEffect(() => {
    const beat = setInterval(() => tick(Date.now()), 1000);
    return () => clearInterval(beat);
  }, []);
  return now;
}

function lasting(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <circle cx="12" cy="8" r="4" />
      <path d="M4 21c0-4.5 3.5-7 8-7s8 2.5 8 7" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
