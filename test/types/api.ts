import {
  ERROR,
  IsBoolean,
  IsObject,
  IsString,
  IsUint,
  NOT_FOUND,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

export const IsUserId = IsString.brand("UserId");
export type tUserId = typeof IsUserId.infer;

export const ROOM_FULL = ERROR.define("ROOM_FULL", 400);
export const LIMITED = ERROR.define("LIMITED", 429, IsObject({ retry: IsUint }));
export const NEVER_LISTED = ERROR.define("NEVER_LISTED", 418);

/** One method of every form, in both directions. */
export const contract = defineSocketContract("Rooms", {
  clientToServer: {
    join: {
      input: IsObject({ userId: IsUserId, at: IsUint, note: IsString.orUndefined }),
      success: IsObject({ userId: IsUserId, joined: IsBoolean }),
      errors: [ROOM_FULL, LIMITED, VALIDATION_ERROR, SERVER_ERROR],
    },
    count: { success: IsUint, errors: [NOT_FOUND] },
    silent: { input: IsString, success: IsBoolean },
    leave: { input: IsObject({ userId: IsUserId }) },
    remark: { input: IsString.orUndefined },
    ping: {},
  },
  serverToClient: {
    joined: { input: IsObject({ userId: IsUserId }) },
    confirm: { input: IsObject({ question: IsString }), success: IsBoolean, errors: [LIMITED] },
    areYouThere: { success: IsUserId, errors: [SERVER_ERROR] },
    nudge: {},
  },
});

export type C2S = typeof contract.methods.clientToServer;
export type S2C = typeof contract.methods.serverToClient;

export const Api = webSocketSchema(contract).path("ws/rooms").done();
