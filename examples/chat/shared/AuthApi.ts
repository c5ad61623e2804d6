import { GGRpc, httpSchema } from "@grest-ts/http";
import { EXISTS, GGContractClass, IsObject, IsString, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { IsUser } from "./model.js";

/** The longest name. */
export const MAX_NAME = 24;

export const IsLogInRequest = IsObject({ name: IsString.trim.nonEmpty.maxLength(MAX_NAME) });
export type LogInRequest = typeof IsLogInRequest.infer;

export const IsLogInResponse = IsObject({ token: IsString, user: IsUser });
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
