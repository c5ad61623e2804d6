import { useEffect, useReducer } from "react";
import type { Note } from "../shared/BoardApi.js";
import { useClient, useConnection, usePush } from "./board.js";

type Notes = ReadonlyMap<string, Note>;
type Change = { readonly all: readonly Note[] } | { readonly added: Note } | { readonly removed: string };

/** The notes of the board, kept up to date. Whenever the page has connected it loads them all: it may have missed some. */
export function useNotes(): readonly Note[] {
  const [notes, apply] = useReducer(changed, new Map<string, Note>());
  const { outgoing } = useClient();
  const { state } = useConnection();
  usePush("added", (note) => apply({ added: note }));
  usePush("removed", ({ id }) => apply({ removed: id }));
  useEffect(() => {
    if (state !== "connected") return;
    const leaving = new AbortController();
    outgoing
      .notes(undefined, { signal: leaving.signal })
      .asResult()
      .then((result) => result.success && apply({ all: result.data }));
    return () => leaving.abort();
  }, [outgoing, state]);
  return [...notes.values()];
}

function changed(notes: Notes, change: Change): Notes {
  if ("all" in change) return new Map(change.all.map((note) => [note.id, note]));
  const next = new Map(notes);
  if ("added" in change) next.set(change.added.id, change.added);
  else next.delete(change.removed);
  return next;
}
