// Who is it?

import { el, field, fill, form, input, submit } from "../dom.js";
import { post } from "../api.js";

/**
 * Asks for a token, or for user and password.
 *
 * @param why a sentence about why it asks again; "" if there is none
 * @param then is called with who has logged in
 */
export function logIn(place, why, then) {
  document.title = "Log in · Dunlin";
  const token = input({ type: "password", name: "token", autocomplete: "current-password" });
  const user = input({ name: "user", autocomplete: "username" });
  const password = input({ type: "password", name: "password", autocomplete: "current-password" });

  const byToken = form(
    "Log in with a token",
    async () => then(await post("login", { token: token.value })),
    field(
      "Token",
      token,
      "The file admin.token in the broker's data directory has one. It is made at the first start.",
    ),
    submit("Log in"),
  );
  const byName = form(
    "Log in by name",
    async () => then(await post("login", { user: user.value, password: password.value })),
    field("User", user),
    field("Password", password),
    submit("Log in by name", ""),
  );
  fill(
    place,
    el(
      "main",
      { id: "main", class: "login", tabindex: -1 },
      el("h1", { tabindex: -1 }, el("img", { src: "icon.svg", alt: "", width: 40, height: 40 }), "Dunlin"),
      why === "" ? null : el("p", { class: "note", role: "status" }, why),
      byToken,
      el("details", {}, el("summary", {}, "By user and password"), byName),
    ),
  );
  token.focus();
}
