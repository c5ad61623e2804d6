import { sentenceOf } from "@grest-ts/websocket";
import { type FormEvent, useState } from "react";
import type { Note } from "../shared/BoardApi.js";
import { useCall, usePushState } from "./board.js";
import { ConnectionBar } from "./ConnectionBar.js";
import { useNotes } from "./useNotes.js";

export function BoardView({ name, onLogOut }: { readonly name: string; readonly onLogOut: () => void }) {
  const notes = useNotes();
  const activity = usePushState("activity", (list, sentence) => [...list.slice(-2), sentence], []);
  return (
    <>
      <header>
        <h1>The board</h1>
        <ConnectionBar onLogOut={onLogOut} />
        <button type="button" onClick={onLogOut}>
          {name}: log out
        </button>
      </header>
      <main>
        <NewNote />
        <ul className="notes">
          {notes.map((note) => (
            <NoteCard key={note.id} note={note} isOwn={note.author === name} />
          ))}
        </ul>
      </main>
      <footer aria-live="polite">{activity.join(" · ")}</footer>
    </>
  );
}

function NewNote() {
  const [text, setText] = useState("");
  const { call, pending, error } = useCall("add");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const result = await call({ text });
    if (result.success) setText("");
  };
  return (
    <form className="new-note" onSubmit={submit}>
      <input aria-label="New note" value={text} onChange={({ target }) => setText(target.value)} maxLength={200} />
      <button type="submit" disabled={pending || text.trim() === ""}>
        Pin
      </button>
      <p role="alert">{error && sentenceOf(error)}</p>
    </form>
  );
}

function NoteCard({ note, isOwn }: { readonly note: Note; readonly isOwn: boolean }) {
  const { call, pending, error } = useCall("remove");
  return (
    <li>
      <p>{note.text}</p>
      <small>{note.author}</small>
      {isOwn && (
        <button
          type="button"
          disabled={pending}
          onClick={() => call({ id: note.id })}
          aria-label={`Remove ${note.text}`}
        >
          ×
        </button>
      )}
      {error && <p role="alert">{sentenceOf(error)}</p>}
    </li>
  );
}
