import { SERVER_ERROR } from "@grest-ts/schema";

/**
 * A `SERVER_ERROR` that shows its sentence as text; its type, name and message are those of the framework.
 * `node/inspection.ts` shows the sentence in consoles and tests of Node, `client/platform/stackText.ts` in those of pages.
 */
export class ShownError extends SERVER_ERROR {
  /** Is called with each, in pages during development. */
  static onMade?: (error: ShownError) => void;

  constructor(context: ConstructorParameters<typeof SERVER_ERROR>[0]) {
    super(context);
    ShownError.onMade?.(this);
  }

  override toString(): string {
    return `${this.type}: ${this.context?.displayMessage ?? this.message}`;
  }
}
