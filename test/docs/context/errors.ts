import { ERROR, IsNumber, IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

export { defineSocketContract } from "@grest-ts/websocket";

export const SOLD_OUT = ERROR.define("SOLD_OUT", 409, IsObject({ waiting: IsNumber }));

const contract = defineSocketContract("BookingApi", {
  clientToServer: {
    book: { input: IsObject({ show: IsString.nonEmpty }), success: IsString, errors: [SOLD_OUT] },
  },
  serverToClient: {},
});

export const client = webSocketSchema(contract).path("ws/booking").done().createClient();

export declare const rooms: ReadonlySet<string>;
export declare function isBusy(room: string): boolean;
export declare function show(value: unknown): void;
export declare function retryLater(): void;
export declare function askWhetherItRan(reason: string, cause: unknown): void;
