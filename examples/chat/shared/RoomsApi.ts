import { GGRpc, httpSchema } from "@grest-ts/http";
import {
  GGContractClass,
  IsArray,
  IsObject,
  IsString,
  NOT_AUTHORIZED,
  NOT_FOUND,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "@grest-ts/schema";
import { auth } from "./auth/auth.js";
import { IsMessage, IsRoom } from "./model.js";

/** Data that a client requests once instead of receiving updates. Takes the same token as the socket. */
export const RoomsApi = httpSchema(
  new GGContractClass("RoomsApi", {
    list: { success: IsArray(IsRoom), errors: [NOT_AUTHORIZED, SERVER_ERROR] },
    history: {
      input: IsObject({ roomId: IsString }),
      success: IsArray(IsMessage),
      errors: [NOT_AUTHORIZED, NOT_FOUND, VALIDATION_ERROR, SERVER_ERROR],
    },
  }),
)
  .pathPrefix("api/rooms")
  .use(auth)
  .routes({ list: GGRpc.GET(""), history: GGRpc.GET("history") });
