// Who is signed in, one source for this page and the hand-written one.

export { byHand, type Person, SignIn, signInPlace } from "../../gateway/pages/sign-in.js";
