import { SERVER_ERROR } from "@grest-ts/schema";
import { ShownError } from "../../connection/methods/shownError.js";

/**
 * Shows the sentences of errors in the consoles of browsers. Chromium prints name and message there, which are the
 * framework's, and then what is in the stack: the sentence becomes its first entry. V8 makes the text of a stack when it is
 * first read, and begins it with the name; the error itself is frozen.
 */
export function showInStacks(): void {
  const { prototype } = ShownError;
  // Between the two classes: what `ShownError` calls when it makes an error.
  class WithSentence extends SERVER_ERROR {
    constructor(...context: ConstructorParameters<typeof SERVER_ERROR>) {
      super(...context);
      const value = `${this.name}: ${this.message}\n    at "${this.context?.displayMessage}"`;
      Object.defineProperty(prototype, "name", { value, configurable: true });
      void this.stack;
      Reflect.deleteProperty(prototype, "name");
    }
  }
  Object.setPrototypeOf(ShownError, WithSentence);
}
