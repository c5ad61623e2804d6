import { ERROR, IsArray, IsNumber, IsObject, IsString, NOT_FOUND } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

export const IsNote = IsObject({ id: IsString, author: IsString, text: IsString, time: IsNumber });
export type Note = typeof IsNote.infer;

export const BOARD_FULL = ERROR.define("BOARD_FULL", 409);
export const NOT_YOURS = ERROR.define("NOT_YOURS", 403);

const contract = defineSocketContract("BoardApi", {
  clientToServer: {
    /** All notes, the oldest first. */
    notes: { success: IsArray(IsNote) },
    add: {
      input: IsObject({ text: IsString.trim.nonEmpty.maxLength(200) }),
      success: IsNote,
      errors: [BOARD_FULL],
    },
    remove: { input: IsObject({ id: IsString }), success: IsNote, errors: [NOT_FOUND, NOT_YOURS] },
  },
  serverToClient: {
    added: { input: IsNote },
    removed: { input: IsObject({ id: IsString }) },
    /** Who has come and left, as a sentence. */
    activity: { input: IsString },
  },
});

export const BoardApi = webSocketSchema(contract).path("ws/board").done();
