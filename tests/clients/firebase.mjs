// A person's life with the product through the libraries a front end has: Firebase's own client for
// signing in, Apollo Client over HTTP, graphql-ws over a socket that lives.
//
//   node firebase.mjs '{"identity": "http://...", "graphql": "http://.../graphql", "profile": {...}}'
//
// Prints one JSON object of what it saw; the test says what that must be.
import { createHmac } from 'node:crypto';
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client/core';
import { initializeApp } from 'firebase/app';
import {
  TotpMultiFactorGenerator,
  connectAuthEmulator,
  createUserWithEmailAndPassword,
  getMultiFactorResolver,
  inMemoryPersistence,
  initializeAuth,
  multiFactor,
  sendEmailVerification,
  signInWithEmailAndPassword,
} from 'firebase/auth';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const told = JSON.parse(process.argv[2]);
const { identity, graphql, email, password, profile } = told;
const project = 'demo-okd';
const saw = {};

const base32 = (text) => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...text].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0'));
  return Buffer.from(bits.join('').match(/.{8}/g).map((byte) => parseInt(byte, 2)));
};
const totp = (secret, later = 0) => {
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + later));
  const digest = createHmac('sha1', base32(secret)).update(step).digest();
  const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff;
  return String(number % 1000000).padStart(6, '0');
};
const codeOf = async (act) => {
  try {
    await act();
    return 'no error';
  } catch (error) {
    return error.code;
  }
};
const asked = async (path) => (await fetch(`${identity}${path}`)).json();

// One device: an app of Firebase's, an Apollo Client, a socket.
class Device {
  constructor(name) {
    this.name = name;
    // Without the browser's parts: no page, no storage.
    this.auth = initializeAuth(initializeApp({ apiKey: 'any', projectId: project }, name), {
      persistence: inMemoryPersistence,
    });
    connectAuthEmulator(this.auth, identity, { disableWarnings: true });
    this.events = [];
    this.listeners = new Set();
    const withToken = async (url, request) => {
      const authorization = `Bearer ${await this.token()}`;
      const answer = await fetch(url, {
        ...request,
        headers: { ...request.headers, authorization, 'x-device-id': name },
      });
      this.status = answer.status;
      return answer;
    };
    this.client = new ApolloClient({
      link: new HttpLink({ uri: graphql, fetch: withToken }),
      cache: new InMemoryCache(),
      defaultOptions: { query: { fetchPolicy: 'no-cache' }, mutate: { fetchPolicy: 'no-cache' } },
    });
  }

  token(fresh = false) {
    return this.auth.currentUser.getIdToken(fresh);
  }

  async query(document) {
    return (await this.client.query({ query: gql(document) })).data;
  }

  async mutate(document, variables) {
    return (await this.client.mutate({ mutation: gql(document), variables })).data;
  }

  // Status and code of an operation that may not run.
  async refusal() {
    try {
      await this.query('{ viewer { id } }');
      return 'no error';
    } catch (error) {
      const errors = error.errors ?? JSON.parse(error.bodyText).errors;
      return [this.status, errors[0].extensions.code];
    }
  }

  // Follow the account from its beginning; `closed` is how the socket ends.
  follow(viewer) {
    const [, uuid] = Buffer.from(viewer, 'base64url').toString().split(':');
    const after = Buffer.from(`v1:user:${uuid}:0`).toString('base64url');
    this.closed = new Promise((ended) => {
      this.socket = createClient({
        url: graphql.replace('http', 'ws'),
        webSocketImpl: WebSocket,
        connectionParams: async () => ({
          authorization: `Bearer ${await this.token()}`,
          deviceId: this.name,
        }),
        retryAttempts: 0,
        on: {
          connected: (socket) => (this.wire = socket),
          closed: ({ code, reason }) => ended([code, reason.split(':')[0]]),
        },
      });
    });
    this.socket.subscribe(
      { query: 'subscription($after: String) { accountEvents(after: $after) { type } }', variables: { after } },
      {
        next: ({ data }) => {
          this.events.push(data.accountEvents.type);
          this.listeners.forEach((listen) => listen());
        },
        error: () => {},
        complete: () => {},
      },
    );
  }

  // The first `count` events of a type have arrived.
  heard(type, count = 1) {
    return new Promise((done) => {
      const listen = () => {
        if (this.events.filter((event) => event === type).length >= count) {
          this.listeners.delete(listen);
          done();
        }
      };
      this.listeners.add(listen);
      listen();
    });
  }

  // A newer token for a socket that lives, as docs/subscriptions.md says.
  async renew() {
    const token = await this.token(true);
    return new Promise((done) => {
      this.wire.addEventListener('message', ({ data }) => {
        const { type, payload } = JSON.parse(data);
        if (type === 'pong' && payload) done(payload.renewed);
      });
      this.wire.send(JSON.stringify({ type: 'ping', payload: { authorization: `Bearer ${token}` } }));
    });
  }

  // Sign in and answer with what the authenticator app shows.
  async signInWithApp(address, secretWord, code) {
    try {
      await signInWithEmailAndPassword(this.auth, address, secretWord);
      return 'not asked';
    } catch (error) {
      const resolver = getMultiFactorResolver(this.auth, error);
      const answer = TotpMultiFactorGenerator.assertionForSignIn(resolver.hints[0].uid, await code());
      await resolver.resolveSignIn(answer);
      return error.code;
    }
  }
}

const VIEWER = '{ viewer { id emailVerified sessions { id deviceId current secondFactor } } }';
const EXPORT = 'mutation { exportMyData { __typename ... on StepUpRequired { methods } } }';
const choose = (theme) => `mutation { updateSettings(input: { theme: ${theme} }) { __typename } }`;

// Sign up; the address is proven through the mailbox, as a person does: the link, then the button.
const phone = new Device('phone-0007');
const { user } = await createUserWithEmailAndPassword(phone.auth, email, password);
const before = (await phone.query(VIEWER)).viewer;
await sendEmailVerification(user);
const { messages } = await asked('/mailbox.json');
const mail = messages.find(({ to }) => to === email);
const link = new URL(mail.link);
const page = await fetch(link);
saw.mail = [mail.subject, page.status];
await fetch(link.origin + link.pathname, {
  method: 'POST',
  body: new URLSearchParams({ oobCode: link.searchParams.get('oobCode') }),
});
await phone.token(true);
const after = (await phone.query(VIEWER)).viewer;
saw.verified = [before.emailVerified, after.emailVerified, before.id === after.id];

// Who they are: words that no log may hold.
const update = 'mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { __typename } }';
saw.profile = (await phone.mutate(update, { input: profile })).updateProfile.__typename;

// An authenticator app, and a second device that signs in with it.
const session = await multiFactor(user).getSession();
const secret = await TotpMultiFactorGenerator.generateSecret(session);
const enrolled = TotpMultiFactorGenerator.assertionForEnrollment(secret, totp(secret.secretKey));
await multiFactor(user).enroll(enrolled, 'App');
const laptop = new Device('laptop-0007');
// Firebase counts in whole seconds: who signs in in the second of the sign-up counts as revoked.
await new Promise((passed) => setTimeout(passed, 1000 - (Date.now() % 1000)));
saw.asked = await laptop.signInWithApp(email, password, () => totp(secret.secretKey, 1));
const { sessions } = (await laptop.query(VIEWER)).viewer;
saw.sessions = sessions.map(({ deviceId, current, secondFactor }) => [deviceId, current, secondFactor]).sort();

// Both listen; a refreshed token is the same session, on HTTP and on the socket that lives.
phone.follow(after.id);
laptop.follow(after.id);
await Promise.all([phone.heard('session.created', 2), laptop.heard('session.created', 2)]);
const signedInAt = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).auth_time;
const old = await laptop.token();
let fresh = old;
while (fresh === old) fresh = await laptop.token(true); // those of one second are the same
saw.refreshed = signedInAt(fresh) === signedInAt(old);
saw.renewed = await laptop.renew();
saw.stillTwo = (await laptop.query(VIEWER)).viewer.sessions.length;
await laptop.mutate(choose('DARK'));
await Promise.all([phone.heard('settings.updated'), laptop.heard('settings.updated')]);

// One of two sessions is revoked: its socket closes, the other lives.
const revoke = 'mutation($id: ID!) { revokeSession(input: { sessionId: $id }) { __typename } }';
const { id } = sessions.find(({ deviceId }) => deviceId === phone.name);
saw.revoked = (await laptop.mutate(revoke, { id })).revokeSession.__typename;
saw.phoneClosed = await phone.closed;
saw.phoneRefused = await phone.refusal();
await laptop.mutate(choose('LIGHT'));
await laptop.heard('settings.updated', 2);
saw.phoneHeard = phone.events.filter((event) => event === 'settings.updated').length;

// A factor of today proves nothing yet; a demo user's is two days old, and counts once.
saw.tooNew = (await laptop.mutate(EXPORT)).exportMyData;
const desk = new Device('desk-0007');
await desk.signInWithApp('compliance@okd.example', 'okd-sandbox', async () => {
  const { totpCodes } = await asked(`/emulator/v1/projects/${project}/totpCodes`);
  return totpCodes.find((one) => one.email === 'compliance@okd.example').code;
});
saw.steppedUp = (await desk.mutate(EXPORT)).exportMyData.__typename;
saw.spent = (await desk.mutate(EXPORT)).exportMyData;

// Frozen: everywhere at once, at Firebase, too.
saw.frozen = (await laptop.mutate('mutation { freezeMyAccount { __typename } }')).freezeMyAccount.__typename;
saw.laptopClosed = await laptop.closed;
saw.laptopRefused = await laptop.refusal();
saw.noMoreTokens = await codeOf(() => laptop.token(true));
saw.unharmed = (await desk.query('{ viewer { state } }')).viewer.state;
// The worker's come when they come.
saw.heard = laptop.events.filter((event) => event !== 'notification.added');
console.log(JSON.stringify(saw));
process.exit(0);
