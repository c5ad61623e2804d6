import { type FormEvent, useState } from "react";
import { logIn, type Session } from "./session.js";

export function LogIn({ onLogIn }: { readonly onLogIn: (session: Session) => void }) {
  const [name, setName] = useState("");
  const [failure, setFailure] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    logIn(name.trim()).then(onLogIn, (error: unknown) => setFailure(String(error)));
  };
  return (
    <form className="log-in" onSubmit={submit}>
      <h1>The board</h1>
      <label>
        Your name
        <input value={name} onChange={({ target }) => setName(target.value)} maxLength={24} required />
      </label>
      <button type="submit" disabled={name.trim() === ""}>
        Enter
      </button>
      <p role="alert">{failure}</p>
    </form>
  );
}
