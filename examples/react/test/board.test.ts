import { NOT_AUTHORIZED, VALIDATION_ERROR } from "@grest-ts/schema";
import { callOn } from "@grest-ts/websocket/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { logIn } from "../server/auth.js";
import { BoardApi, NOT_YOURS } from "../shared/BoardApi.js";
import { startBoard } from "./startBoard.js";

let board: Awaited<ReturnType<typeof startBoard>>;
beforeAll(async () => {
  board = await startBoard();
});
afterAll(() => board.stop());

/** The API as a user of this name calls it. */
async function connect(name: string) {
  const headers = { authorization: `Bearer ${logIn(name)}` };
  const user = callOn(BoardApi, {
    url: board.url,
    middlewares: [{ updateHandshake: (handshake) => void Object.assign(handshake.headers, headers) }],
  });
  await user.connect();
  return user;
}

it("shows a note to all, and only its author may remove it", async () => {
  const ann = await connect("Ann");
  const bob = await connect("Bob");
  await ann.mock.activity.toEqual("Bob is here");
  const note = await ann
    .add({ text: " Buy milk " })
    .toMatchObject({ author: "Ann", text: "Buy milk" })
    .with(ann.mock.added.toMatchObject({ text: "Buy milk" }))
    .with(bob.mock.added.toMatchObject({ text: "Buy milk" }));
  await bob.remove({ id: note.id }).toBeError(NOT_YOURS);
  await bob.notes().toEqual([note]);
  const removed = { id: note.id };
  await ann.remove(removed).with(ann.mock.removed.toEqual(removed)).with(bob.mock.removed.toEqual(removed));
  await bob.disconnect();
  await ann.mock.activity.toEqual("Bob has left");
});

it("refuses an empty note, and who has not logged in", async () => {
  const ann = await connect("Ann");
  await ann
    .add({ text: "  " })
    .toBeError(VALIDATION_ERROR)
    .toEqual({ text: [expect.any(String)] });
  await expect(callOn(BoardApi, { url: board.url }).connect()).rejects.toMatchObject({ type: NOT_AUTHORIZED.TYPE });
});
