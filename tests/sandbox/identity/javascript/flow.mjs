// Firebase's own JavaScript client against the identity service: `node flow.mjs ADDRESS`.
// Prints one JSON object of what it saw; the test beside it says what that must be.
import { createHmac } from "node:crypto";
import { initializeApp } from "firebase/app";
import {
  EmailAuthProvider,
  GoogleAuthProvider,
  TotpMultiFactorGenerator,
  applyActionCode,
  confirmPasswordReset,
  connectAuthEmulator,
  createUserWithEmailAndPassword,
  deleteUser,
  getAuth,
  getMultiFactorResolver,
  inMemoryPersistence,
  linkWithCredential,
  multiFactor,
  onIdTokenChanged,
  reauthenticateWithCredential,
  sendEmailVerification,
  sendPasswordResetEmail,
  setPersistence,
  signInWithCredential,
  signInWithEmailAndPassword,
  signOut,
  unlink,
  updatePassword,
  updateProfile,
} from "firebase/auth";

const [address] = process.argv.slice(2);
const project = "demo-okd";
const email = "script@example.com";
const saw = {};

const auth = getAuth(initializeApp({ apiKey: "any", projectId: project }));
await setPersistence(auth, inMemoryPersistence);
connectAuthEmulator(auth, address, { disableWarnings: true });
const told = [];
onIdTokenChanged(auth, (user) => told.push(user ? user.uid : null));

const codeOf = async (act) => {
  try {
    await act();
    return "no error";
  } catch (error) {
    return error.code;
  }
};
const mailed = async () => {
  const answer = await fetch(`${address}/emulator/v1/projects/${project}/oobCodes`);
  return (await answer.json()).oobCodes.filter((code) => code.email === email).at(-1).oobCode;
};
const base32 = (text) => {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...text].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0"));
  return Buffer.from(bits.join("").match(/.{8}/g).map((byte) => parseInt(byte, 2)));
};
const totp = (secret, later = 0) => {
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + later));
  const digest = createHmac("sha1", base32(secret)).update(step).digest();
  const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff;
  return String(number % 1000000).padStart(6, "0");
};

// E-mail and password.
const { user } = await createUserWithEmailAndPassword(auth, email, "correct horse");
saw.duplicate = await codeOf(() => createUserWithEmailAndPassword(auth, email, "correct horse"));
saw.weak = await codeOf(() => createUserWithEmailAndPassword(auth, "b@example.com", "short"));
await updateProfile(user, { displayName: "Ann" });
const before = await user.getIdTokenResult();
const after = await user.getIdTokenResult(true);
saw.sameSignIn = before.authTime === after.authTime && before.token !== after.token;
saw.name = after.claims.name;

// Links that are mailed.
await sendEmailVerification(user);
await applyActionCode(auth, await mailed());
await user.reload();
saw.verified = user.emailVerified;
await sendPasswordResetEmail(auth, email);
await confirmPasswordReset(auth, await mailed(), "another horse");
saw.oldSession = await codeOf(() => user.getIdToken(true));
saw.signedOut = auth.currentUser === null;
saw.wrong = await codeOf(() => signInWithEmailAndPassword(auth, email, "correct horse"));

// Linking and unlinking.
const again = (await signInWithEmailAndPassword(auth, email, "another horse")).user;
const google = GoogleAuthProvider.credential(
  JSON.stringify({ sub: "g-1", email, email_verified: true, name: "Ann" }),
);
await linkWithCredential(again, google);
saw.linked = again.providerData.map((one) => one.providerId).sort();
saw.byGoogle = (await signInWithCredential(auth, google)).user.uid === again.uid;
await unlink(auth.currentUser, "google.com");
saw.unlinked = auth.currentUser.providerData.map((one) => one.providerId);

// An authenticator app.
const owner = (await signInWithEmailAndPassword(auth, email, "another horse")).user;
const session = await multiFactor(owner).getSession();
const secret = await TotpMultiFactorGenerator.generateSecret(session);
await multiFactor(owner).enroll(
  TotpMultiFactorGenerator.assertionForEnrollment(secret, totp(secret.secretKey)),
  "App",
);
saw.factors = multiFactor(owner).enrolledFactors.map((factor) => factor.factorId);
await signOut(auth);
try {
  await signInWithEmailAndPassword(auth, email, "another horse");
} catch (error) {
  saw.asked = error.code;
  const resolver = getMultiFactorResolver(auth, error);
  const answer = (code) =>
    resolver.resolveSignIn(
      TotpMultiFactorGenerator.assertionForSignIn(resolver.hints[0].uid, code),
    );
  saw.wrongCode = await codeOf(() => answer("abcdef"));
  await answer(totp(secret.secretKey, 1));
}
const strong = await auth.currentUser.getIdTokenResult();
saw.secondFactor = strong.signInSecondFactor;

// What is dangerous, and the end.
await multiFactor(auth.currentUser).unenroll(multiFactor(auth.currentUser).enrolledFactors[0]);
const fresh = EmailAuthProvider.credential(email, "another horse");
await reauthenticateWithCredential(auth.currentUser, fresh);
await updatePassword(auth.currentUser, "third horse");
saw.newPassword = (await signInWithEmailAndPassword(auth, email, "third horse")).user.email;
await deleteUser(auth.currentUser);
saw.deleted = await codeOf(() => signInWithEmailAndPassword(auth, email, "third horse"));
saw.lastTold = told.at(-1);
console.log(JSON.stringify(saw));
process.exit(0);
