import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import { NOT_FOUND } from "@grest-ts/schema";
import { GGSocketGroup } from "@grest-ts/websocket";
import { BOARD_FULL, BoardApi, NOT_YOURS, type Note } from "../shared/BoardApi.js";
import { auth, USER } from "./auth.js";

const MAX_NOTES = 100;

/** The notes, and all who look at them. */
export class Board {
  readonly #notes = new Map<string, Note>();
  readonly #viewers = new GGSocketGroup(BoardApi);

  /** Serves the board on an HTTP server. Returns what ends it. */
  serve(http: Server) {
    return BoardApi.startServer(
      (incoming, outgoing) => {
        const user = USER.assert();
        incoming.on({
          notes: () => [...this.#notes.values()],
          add: ({ text }) => this.#add(user, text),
          remove: ({ id }) => this.#remove(user, id),
        });
        this.#viewers.add(outgoing);
        this.#viewers.activity(`${user} is here`, { except: outgoing });
        outgoing.onClose(() => this.#viewers.activity(`${user} has left`));
      },
      { http, middlewares: [auth] },
    );
  }

  #add(author: string, text: string): Note {
    if (this.#notes.size >= MAX_NOTES)
      throw new BOARD_FULL({ displayMessage: "The board is full: remove a note first" });
    const note: Note = { id: randomUUID(), author, text, time: Date.now() };
    this.#notes.set(note.id, note);
    this.#viewers.added(note);
    return note;
  }

  #remove(user: string, id: string): Note {
    const note = this.#notes.get(id);
    if (!note) throw new NOT_FOUND({ displayMessage: "The note is gone already" });
    if (note.author !== user) throw new NOT_YOURS({ displayMessage: `Only ${note.author} may remove this note` });
    this.#notes.delete(id);
    this.#viewers.removed({ id });
    return note;
  }
}
