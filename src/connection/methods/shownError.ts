import { SERVER_ERROR } from "@grest-ts/schema";

/**
 * A `SERVER_ERROR` that shows its sentence wherever an error is shown as text; its type, name and message are those of
 * the framework. `node/inspection.ts` sees to consoles and tests in Node.
 */
export class ShownError extends SERVER_ERROR {
  constructor(context: ConstructorParameters<typeof SERVER_ERROR>[0]) {
    super(context);
    if (globalThis.process) return;
    // Consoles of pages show the stack. V8 makes its text when it is first read, and begins it with the name.
    const { prototype } = ShownError;
    Object.defineProperty(prototype, "name", { value: `${this}`, configurable: true });
    this.stack;
    Reflect.deleteProperty(prototype, "name");
  }

  override toString(): string {
    return `${this.type}: ${this.context?.displayMessage ?? this.message}`;
  }
}
