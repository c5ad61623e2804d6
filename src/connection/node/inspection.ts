import { type InspectOptions, inspect } from "node:util";
import { type ERROR_JSON, SERVER_ERROR } from "@grest-ts/schema";
import { ShownError } from "../methods/shownError.js";

/** Makes the sentence of a `ShownError` show in consoles and tests of Node. A call, since bundlers leave out bare imports. */
export function showSentences(): void {
  const { toJSON } = ShownError.prototype;
  Object.defineProperties(ShownError.prototype, {
    // As strict comparisons and the names of classes in texts see it.
    constructor: { value: SERVER_ERROR },
    // What `console`, `util.inspect` and node:test show is the stack, which begins with name and message.
    [inspect.custom]: {
      value(this: ShownError, _depth: number, options: InspectOptions): string {
        const { name, message } = this;
        return inspect(this, { ...options, customInspect: false }).replace(`${name}: ${message}`, () => `${this}`);
      },
    },
    // What vitest shows is the message in the JSON form, even a hidden one, which is in no text of that form.
    toJSON: {
      value(this: ShownError): ERROR_JSON {
        return Object.defineProperty(toJSON.call(this), "message", { value: this.context?.displayMessage });
      },
    },
  });
}
