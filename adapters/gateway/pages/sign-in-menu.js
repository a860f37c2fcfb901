// The small explorer's sign-in menu: in the sandbox only. What it shows is sign-in.js's state.

import { SignIn, signInPlace } from "/pages/sign-in.js";

/** Fill `place` with the menu and return who signs in by it; null where nobody can. */
export async function signInMenu(place) {
  const known = await signInPlace();
  if (known === null) return null;
  const signIn = new SignIn(known);
  const [select, enter, leave, said] = ["select", "button", "button", "span"].map((name) =>
    document.createElement(name),
  );
  select.setAttribute("aria-label", "Demo user");
  select.append(
    ...signIn.users.map(({ name, role, secondFactor }) => {
      return new Option(`${name} · ${role}${secondFactor ? " · TOTP" : ""}`, name);
    }),
  );
  leave.textContent = "Sign out";
  said.setAttribute("role", "status");
  said.className = "quiet";

  const chosen = () => signIn.users.find(({ name }) => name === select.value);

  function show() {
    const { person, busy, problem } = signIn.state();
    const again = person?.user === chosen() && person.user.secondFactor;
    enter.textContent = again ? "Step up" : "Sign in";
    enter.disabled = busy;
    leave.hidden = person === null;
    said.textContent = problem || (person === null ? "" : facts(person));
    said.title = said.textContent;
  }

  enter.addEventListener("click", () => signIn.signIn(chosen()));
  leave.addEventListener("click", () => signIn.signOut());
  select.addEventListener("change", show);
  signIn.subscribe(show);
  setInterval(show, 1000);
  show();
  place.replaceChildren(select, enter, leave, said);
  place.hidden = false;
  return signIn;
}

function facts({ user, roles, endsAt }) {
  const minutes = Math.max(0, Math.ceil((endsAt - Date.now()) / 60_000));
  return `${user.email} · ${roles.join(", ")} · token ends in ${minutes} min`;
}
