import { ShownError } from "../../connection/methods/shownError.js";

/**
 * Shows the sentences of errors in the consoles of browsers. Chromium prints name and message there, which are the
 * framework's, and then what is in the stack: the sentence becomes its first entry. V8 makes the text of a stack when it is
 * first read, and begins it with the name; the error itself is frozen.
 */
export function showInStacks(): void {
  const { prototype } = ShownError;
  ShownError.onMade = (error) => {
    const value = `${error.name}: ${error.message}\n    at "${error.context?.displayMessage}"`;
    Object.defineProperty(prototype, "name", { value, configurable: true });
    void error.stack;
    Reflect.deleteProperty(prototype, "name");
  };
}
