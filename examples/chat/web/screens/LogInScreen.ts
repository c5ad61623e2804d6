import { describeError } from "../../client/describeError.js";
import { noticeWait, STILL_WAITING } from "../../client/noticeWait.js";
import { logIn, type Session } from "../../client/Session.js";
import { MAX_NAME } from "../../shared/AuthApi.js";
import { element } from "../dom.js";
import { initials } from "../format.js";
import { ownHue } from "../Palette.js";
import { setOwnHue } from "../theme.js";

/** What the screen begins with, when the user was here before. */
export interface LogInStart {
  readonly name?: string;
  /** Why the user has to log in again. */
  readonly problem?: string;
  /** What the user has written, and not sent yet. */
  readonly draft?: string;
}

/** Asks for a name. The page takes on the hue of the person who is about to enter. */
export class LogInScreen {
  readonly root: HTMLElement;
  readonly #name = element("input", {
    id: "name",
    name: "name",
    autocomplete: "nickname",
    placeholder: "Ann",
    maxlength: String(MAX_NAME),
    "aria-describedby": "problem",
  });
  readonly #submit = element("button", { class: "primary" }, "Join the chat");
  readonly #problem = element("p", { class: "problem", id: "problem", role: "alert" });
  readonly #waiting = element("p", { class: "hint", role: "status" });
  readonly #avatar = element("span", { class: "avatar large", "aria-hidden": "true" });

  constructor(
    private readonly onLogIn: (session: Session) => void,
    { name = "", problem = "" }: LogInStart = {},
  ) {
    this.#name.value = name;
    const form = element(
      "form",
      { class: "card" },
      this.#avatar,
      element("h1", {}, "Come in"),
      element("p", {}, "Two rooms, no password. Say who you are."),
      element("label", { for: "name" }, "Your name"),
      this.#name,
      this.#problem,
      this.#submit,
      this.#waiting,
      element("p", { class: "hint" }, "Open a second window by another name to see both sides."),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#logIn();
    });
    this.#name.addEventListener("input", () => {
      this.#showProblem("");
      this.#showPerson();
    });
    this.root = element("main", { class: "log-in" }, form);
    this.#showProblem(problem);
    this.#showPerson();
  }

  focus(): void {
    this.#name.focus();
    this.#name.select();
  }

  #showPerson(): void {
    const name = this.#name.value.trim();
    this.#avatar.textContent = initials(name);
    setOwnHue(name === "" ? undefined : ownHue(name.toLowerCase()));
  }

  #showProblem(text: string): void {
    this.#problem.textContent = text;
    this.#name.setAttribute("aria-invalid", String(text !== ""));
  }

  #wait(text: string): void {
    this.#waiting.textContent = text;
  }

  async #logIn(): Promise<void> {
    const name = this.#name.value.trim();
    if (name === "") {
      this.#showProblem("Type a name first");
      return this.focus();
    }
    this.#submit.disabled = true;
    try {
      this.onLogIn(await noticeWait(logIn(name), () => this.#wait(STILL_WAITING)));
    } catch (error) {
      this.#showProblem(describeError(error));
      this.focus();
    } finally {
      this.#submit.disabled = false;
      this.#wait("");
    }
  }
}
