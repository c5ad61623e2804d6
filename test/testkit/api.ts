import { GGContextKey } from "@grest-ts/context";
import {
  ERROR,
  IsArray,
  IsBoolean,
  IsNumber,
  IsObject,
  IsString,
  NOT_AUTHORIZED,
  SERVER_ERROR,
} from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGConnectionHandler,
  type GGWebSocketMiddleware,
  webSocketSchema,
} from "@grest-ts/websocket";

export const GG_NAME = new GGContextKey<string>("name", IsString);
export const FULL = ERROR.define("KIT_FULL", 409, IsObject({ seats: IsNumber }));
export const BANNED = ERROR.define("KIT_BANNED", 403);

const auth: GGWebSocketMiddleware = {
  updateHandshake({ headers }) {
    const name = GG_NAME.get();
    if (name) headers.name = name;
  },
  parseHandshake({ headers }) {
    if (!headers.name) throw new NOT_AUTHORIZED({ displayMessage: "Who are you?" });
    if (headers.name === "mallory") throw new BANNED();
    GG_NAME.set(headers.name);
  },
};

export const contract = defineSocketContract("Kit", {
  clientToServer: {
    /** Tells the text to everybody, then replies. */
    say: { input: IsObject({ text: IsString.nonEmpty, tags: IsArray(IsString).orUndefined }), success: IsNumber },
    list: { success: IsArray(IsObject({ id: IsNumber, name: IsString })) },
    whoAmI: { success: IsString },
    enter: { success: IsBoolean, errors: [FULL, BANNED] },
    /** Asks the caller, and gives the answer back. */
    askMe: { success: IsString, errors: [SERVER_ERROR] },
    /** Never replies. */
    never: { success: IsBoolean },
    hush: {},
    note: { input: IsObject({ text: IsString }) },
  },
  serverToClient: {
    said: { input: IsObject({ text: IsString, by: IsString }) },
    tick: {},
    question: { input: IsString, success: IsString, errors: [FULL] },
  },
});

export const KitApi = webSocketSchema(contract).path("ws/kit").use(auth).done();

type Kit = typeof contract.methods;
type Outgoing = Parameters<GGConnectionHandler<Kit["clientToServer"], Kit["serverToClient"]>>[1];

/** The server of the tests: what it does besides its contract is set by the test. */
export class Room {
  readonly members: Outgoing[] = [];
  readonly notes: string[] = [];
  count = 0;
  /** How often `say` is told to everybody. */
  repeat = 1;
  onHush: (outgoing: Outgoing) => void = () => {};
  onLeave: () => void = () => {};
  onConnection: (outgoing: Outgoing) => void | Promise<void> = () => {};

  readonly handle: GGConnectionHandler<Kit["clientToServer"], Kit["serverToClient"]> = (incoming, outgoing) => {
    const by = GG_NAME.assert();
    this.members.push(outgoing);
    outgoing.onClose(() => this.onLeave());
    incoming.on({
      say: async ({ text }) => {
        for (let i = 0; i < this.repeat; i++) for (const member of this.members) member.said({ text, by });
        return ++this.count;
      },
      list: () => [
        { id: 1, name: "ann" },
        { id: 2, name: "bob" },
      ],
      whoAmI: () => by,
      enter: () => {
        throw new FULL({ seats: 8 });
      },
      askMe: () => outgoing.question("why?"),
      never: () => new Promise<never>(() => {}),
      hush: () => this.onHush(outgoing),
      note: ({ text }) => this.notes.push(text),
    });
    return this.onConnection(outgoing);
  };
}
