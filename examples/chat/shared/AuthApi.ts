import { GGRpc, httpSchema } from "@grest-ts/http";
import { EXISTS, GGContractClass, IsObject, IsString, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { IsUser } from "./model.js";

/** The longest name. */
export const MAX_NAME = 24;

export const IsLogInRequest = IsObject({
  /** Something of it has to be visible. */
  name: IsString.trim.nonEmpty.maxLength(MAX_NAME).regex(/[^\p{C}\p{Z}]/u),
  /** The token that the user had, when the server has forgotten it: by the same one it is the same user again. */
  earlierToken: IsString.maxLength(100).orUndefined,
});
export type LogInRequest = typeof IsLogInRequest.infer;

export const IsLogInResponse = IsObject({ token: IsString.regex(/^[\w-]+$/), user: IsUser });
export type LogInResponse = typeof IsLogInResponse.infer;

/** Public: exchanges a name for a token. */
export const AuthApi = httpSchema(
  new GGContractClass("AuthApi", {
    logIn: {
      input: IsLogInRequest,
      success: IsLogInResponse,
      errors: [EXISTS, VALIDATION_ERROR, SERVER_ERROR],
    },
  }),
)
  .pathPrefix("api/auth")
  .routes({ logIn: GGRpc.POST("login") });
