// Signing in as a demo user of the sandbox, by Firebase's own REST. Both explorers use it. Tokens
// are in this object and nowhere else: gone when the page is.

const RENEW_BEFORE_MS = 60_000;

/** @typedef {{ name: string, email: string, role: string, secondFactor: boolean }} DemoUser */
/**
 * @typedef {{ identity: string, project: string, password: string, users: DemoUser[] }} Place
 * Where to sign in: what /sandbox/sign-in tells.
 */
/**
 * @typedef {object} Person
 * @property {DemoUser} user
 * @property {ReadonlyArray<string>} roles as the product says, not the token
 * @property {number} signedInAt in milliseconds, as Date.now()
 * @property {number} endsAt when the token does; it is renewed before
 */
/** @typedef {{ person: Person | null, busy: boolean, problem: string }} State */
/** @typedef {{ idToken: string, refreshToken: string, expiresIn: string }} Tokens */

/**
 * Where this page may sign in; null where there are no demo users, such as in production.
 * @returns {Promise<Place | null>}
 */
export async function signInPlace() {
  try {
    const answer = await fetch("/sandbox/sign-in");
    return answer.status === 200 ? await answer.json() : null;
  } catch {
    return null; // The page works without.
  }
}

/**
 * Whether these headers say themselves who is there.
 * @param {Record<string, unknown>} headers
 */
export function byHand(headers) {
  return Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
}

/** Who the page is. A state never changes; listeners hear of each new one. */
export class SignIn {
  /** @type {Place} */ #place;
  /** @type {State} */ #state = { person: null, busy: false, problem: "" };
  /** @type {Set<() => void>} */ #listeners = new Set();
  /** @type {Tokens | null} */ #tokens = null;
  #timer = 0;
  #renewAt = 0;
  #attempt = 0; // Answers to an earlier one come too late.

  /** @param {Place} place */
  constructor(place) {
    this.#place = place;
  }

  get users() {
    return this.#place.users;
  }

  state = () => this.#state;

  /** @param {() => void} listener */
  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  /**
   * These headers and who is signed in; an authorization written by hand wins.
   * @param {Record<string, unknown>} headers
   */
  onTopOf(headers) {
    if (byHand(headers) || this.#tokens === null) return headers;
    return { ...headers, authorization: `Bearer ${this.#tokens.idToken}` };
  }

  /**
   * Sign in now, with the second factor of who has one: the same person again is a step-up.
   * @param {DemoUser} user
   */
  async signIn(user) {
    const attempt = this.#begin();
    this.#show({ ...this.#state, busy: true, problem: "" });
    try {
      const tokens = await this.#entered(user);
      const roles = await rolesOf(tokens);
      if (attempt !== this.#attempt) return;
      this.#keep(tokens);
      const now = Date.now();
      const person = { user, roles, signedInAt: now, endsAt: now + lifeOf(tokens) };
      this.#show({ person, busy: false, problem: "" });
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.#renewInTime(); // Who was signed in stays so.
      this.#show({ ...this.#state, busy: false, problem: said(error) });
    }
  }

  signOut() {
    this.#begin();
    this.#tokens = null;
    this.#show({ person: null, busy: false, problem: "" });
  }

  /** @param {DemoUser} user @returns {Promise<Tokens>} */
  async #entered(user) {
    const { email } = user;
    const first = await this.#ask("/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword", {
      email,
      password: this.#place.password,
      returnSecureToken: true,
    });
    if (!first.mfaPendingCredential) return first;
    // What an authenticator app would show: the sandbox has it for its demo users.
    const listed = `${this.#place.identity}/emulator/v1/projects/${this.#place.project}/totpCodes`;
    const { totpCodes } = await read(await fetch(listed));
    const app = totpCodes.find((/** @type {{ email: string }} */ each) => each.email === email);
    if (!app) throw new Error(`${email} has another second factor now: sign in by hand.`);
    return this.#ask("/identitytoolkit.googleapis.com/v2/accounts/mfaSignIn:finalize", {
      mfaPendingCredential: first.mfaPendingCredential,
      mfaEnrollmentId: app.mfaEnrollmentId,
      totpVerificationInfo: { verificationCode: app.code },
    });
  }

  /** @param {string} refreshToken */
  async #renew(refreshToken) {
    const attempt = this.#attempt;
    try {
      const told = await this.#ask("/securetoken.googleapis.com/v1/token", {
        grant_type: "refresh_token",
        refresh_token: refreshToken,
      });
      if (attempt !== this.#attempt || this.#state.person === null) return;
      const tokens = { idToken: told.id_token, refreshToken, expiresIn: told.expires_in };
      this.#keep(tokens);
      const person = { ...this.#state.person, endsAt: Date.now() + lifeOf(tokens) };
      this.#show({ ...this.#state, person });
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.signOut();
      this.#show({ ...this.#state, problem: `Signed out: ${said(error)}` });
    }
  }

  /** @param {Tokens} tokens */
  #keep(tokens) {
    const life = lifeOf(tokens);
    this.#tokens = tokens;
    this.#renewAt = Date.now() + Math.max(life - RENEW_BEFORE_MS, life / 2);
    this.#renewInTime();
  }

  #renewInTime() {
    const refreshToken = this.#tokens?.refreshToken;
    if (refreshToken === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#renew(refreshToken), this.#renewAt - Date.now());
  }

  #begin() {
    clearTimeout(this.#timer);
    return ++this.#attempt;
  }

  /** @param {State} state */
  #show(state) {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }

  /** @param {string} path @param {object} body */
  async #ask(path, body) {
    const url = `${this.#place.identity}${path}?key=sandbox`;
    const headers = { "content-type": "application/json" };
    return read(await fetch(url, { method: "POST", headers, body: JSON.stringify(body) }));
  }
}

/** @param {Tokens} tokens */
async function rolesOf(tokens) {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${tokens.idToken}` },
    body: JSON.stringify({ query: "query Roles { viewer { roles } }" }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(errors[0].message);
  return data.viewer.roles;
}

/** @param {Response} answer */
async function read(answer) {
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error.message);
  return told;
}

/** @param {Tokens} tokens */
function lifeOf(tokens) {
  return Number(tokens.expiresIn) * 1000;
}

/** @param {unknown} error */
function said(error) {
  if (error instanceof TypeError) {
    return "The identity service was not reached: it answers browsers of its own machine only.";
  }
  const text = error instanceof Error ? error.message : String(error);
  // Each code is good once, and there are two at most to give at any time.
  return text.startsWith("INVALID_CODE")
    ? "Both codes of this half minute are used up. Try again in 30 seconds."
    : text;
}
