import { logIn, type Session } from "../../client/Session.js";
import { element } from "../dom.js";
import { toastError } from "../toasts.js";

/** Asks for a name. */
export class LogInScreen {
  readonly root: HTMLElement;
  readonly #name = element("input", { id: "name", name: "name", autocomplete: "nickname", placeholder: "Ann" });
  readonly #submit = element("button", { class: "primary" }, "Join the chat");

  constructor(private readonly onLogIn: (session: Session) => void) {
    const form = element(
      "form",
      { class: "card" },
      element("img", { src: "/favicon.svg", alt: "", width: "44", height: "44" }),
      element("h1", {}, "Come in"),
      element("p", {}, "Two rooms, no password: say who you are."),
      element("label", { for: "name" }, "Your name"),
      this.#name,
      this.#submit,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#logIn();
    });
    this.root = element("div", { class: "log-in" }, form);
  }

  focus(): void {
    this.#name.focus();
  }

  async #logIn(): Promise<void> {
    this.#submit.disabled = true;
    try {
      this.onLogIn(await logIn(this.#name.value));
    } catch (error) {
      toastError(error);
      this.focus();
    } finally {
      this.#submit.disabled = false;
    }
  }
}
